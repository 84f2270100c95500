curl -X GET "https://tasty.gammabox.app/api/v1/option-chain?symbol=TSLA" \
  -H "X-API-Key: YOUR_API_KEY"
