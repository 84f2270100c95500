curl -X POST https://tasty.gammabox.app/api/v1/credentials \
  -H "Content-Type: application/json" \
  -d '{
    "api_key": "your_custom_key",
    "client_secret": "your_tastytrade_client_secret",
    "refresh_token": "your_tastytrade_refresh_token"
  }'
