curl -X POST "https://tasty.gammabox.app/api/v1/place-order?account_id=YOUR_ACCOUNT_ID" \
  -H "Content-Type: application/json" \
  -H "X-API-Key: YOUR_API_KEY" \
  -d '{
    "legs": [
      {"symbol": "AAPL", "action": "Buy", "quantity": 100}
    ],
    "price": null,
    "time_in_force": "Day",
    "dry_run": false
  }'
