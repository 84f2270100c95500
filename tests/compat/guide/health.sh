curl -X GET "https://tasty.gammabox.app/health"
