curl -X GET "https://tasty.gammabox.app/api/v1/credentials" \
  -H "X-API-Key: YOUR_API_KEY"
