curl -X POST https://tasty.gammabox.app/api/v1/credentials \
  -H "Content-Type: application/json" \
  -d '{
    "api_key": "your_api_key",
    "client_secret": "your_client_secret_from_step_1",
    "refresh_token": "your_refresh_token_from_step_2"
  }'
