"""Where the viewers of a CloudFront distribution come in: no name of CloudFront's leads to this machine."""

DOOR = "/_cloudfront/"
"""A path of the endpoint; a distribution's id and the viewer's path follow."""
