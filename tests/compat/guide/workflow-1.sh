#!/bin/bash

API_KEY="YOUR_API_KEY"
ACCOUNT_ID="YOUR_ACCOUNT_ID"
BASE_URL="https://tasty.gammabox.app"

# 1. Check balances
echo "Checking balances..."
curl -X GET "${BASE_URL}/api/v1/balances?account_id=${ACCOUNT_ID}" \
  -H "X-API-Key: ${API_KEY}" | jq '.'

# 2. Get current positions
echo "Getting positions..."
curl -X GET "${BASE_URL}/api/v1/positions?account_id=${ACCOUNT_ID}" \
  -H "X-API-Key: ${API_KEY}" | jq '.'

# 3. Get quote for SPY
echo "Getting SPY quote..."
curl -X POST "${BASE_URL}/api/v1/quotes" \
  -H "Content-Type: application/json" \
  -H "X-API-Key: ${API_KEY}" \
  -d '[{"symbol": "SPY"}]' | jq '.'

# 4. Place order (dry run first)
echo "Placing order (dry run)..."
curl -X POST "${BASE_URL}/api/v1/place-order?account_id=${ACCOUNT_ID}" \
  -H "Content-Type: application/json" \
  -H "X-API-Key: ${API_KEY}" \
  -d '{
    "legs": [{
      "symbol": "SPY",
      "option_type": "P",
      "action": "Buy to Open",
      "quantity": 1,
      "strike_price": 685.0,
      "expiration_date": "2025-12-19"
    }],
    "price": null,
    "time_in_force": "Day",
    "dry_run": true
  }' | jq '.'
