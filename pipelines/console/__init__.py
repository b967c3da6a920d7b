"""The console in the browser: pipelines, gates, orders and environments, over the API of the commands.

`application` puts the pages together behind `guards`, which keep other web sites and other hosts' names out.
`promotion_pages`, `gate_pages` and `environment_pages` read what `html/` shows; `workflow_picture` draws an
execution; `serving` runs the server on 127.0.0.1. Every page works without JavaScript; with it,
`static/live.js` fetches the page again and replaces the parts that changed.
"""
