curl -X POST "https://tasty.gammabox.app/api/v1/chat" \
  -H "Content-Type: application/json" \
  -H "X-API-Key: YOUR_API_KEY" \
  -d '{
    "message": "What are my current positions?",
    "message_history": null
  }'
