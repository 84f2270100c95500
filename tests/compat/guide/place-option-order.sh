curl -X POST "https://tasty.gammabox.app/api/v1/place-order?account_id=YOUR_ACCOUNT_ID" \
  -H "Content-Type: application/json" \
  -H "X-API-Key: YOUR_API_KEY" \
  -d '{
    "legs": [
      {
        "symbol": "SPY",
        "option_type": "P",
        "action": "Buy to Open",
        "quantity": 1,
        "strike_price": 685.0,
        "expiration_date": "2025-12-19"
      }
    ],
    "price": -4.50,
    "time_in_force": "Day",
    "dry_run": false
  }'
