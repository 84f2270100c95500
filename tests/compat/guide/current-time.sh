curl -X GET "https://tasty.gammabox.app/api/v1/current-time" \
  -H "X-API-Key: YOUR_API_KEY"
