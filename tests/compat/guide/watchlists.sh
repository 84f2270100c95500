curl -X GET "https://tasty.gammabox.app/api/v1/watchlists?watchlist_type=private" \
  -H "X-API-Key: YOUR_API_KEY"
