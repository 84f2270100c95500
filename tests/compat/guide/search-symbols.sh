curl -X GET "https://tasty.gammabox.app/api/v1/search-symbols?symbol=apple" \
  -H "X-API-Key: YOUR_API_KEY"
