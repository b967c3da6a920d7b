"""HTTP for the data API: routes, requests, answers and problem documents."""
