curl -X POST https://tasty.gammabox.app/api/v1/credentials \
  -H "Content-Type: application/json" \
  -d '{
    "api_key": "YOUR_API_KEY",
    "client_secret": "YOUR_CLIENT_SECRET",
    "refresh_token": "YOUR_NEW_REFRESH_TOKEN"
  }'
