curl -X DELETE "https://tasty.gammabox.app/api/v1/watchlists/private/tech-stocks" \
  -H "X-API-Key: YOUR_API_KEY"
