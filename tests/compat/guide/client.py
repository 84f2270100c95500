import requests

class TastyTradeAPI:
    def __init__(self, base_url, api_key, account_id):
        self.base_url = base_url
        self.headers = {
            "X-API-Key": api_key,
            "Content-Type": "application/json"
        }
        self.account_id = account_id

    def get_balances(self):
        response = requests.get(
            f"{self.base_url}/api/v1/balances",
            params={"account_id": self.account_id},
            headers=self.headers
        )
        return response.json()

    def get_positions(self):
        response = requests.get(
            f"{self.base_url}/api/v1/positions",
            params={"account_id": self.account_id},
            headers=self.headers
        )
        return response.json()

    def get_quotes(self, symbols):
        response = requests.post(
            f"{self.base_url}/api/v1/quotes",
            headers=self.headers,
            json=[{"symbol": s} for s in symbols]
        )
        return response.json()

    def get_option_chain(self, symbol):
        response = requests.get(
            f"{self.base_url}/api/v1/option-chain",
            params={"symbol": symbol},
            headers=self.headers
        )
        return response.json()

    def place_order(self, legs, price=None, time_in_force="Day", dry_run=False):
        response = requests.post(
            f"{self.base_url}/api/v1/place-order",
            params={"account_id": self.account_id},
            headers=self.headers,
            json={
                "legs": legs,
                "price": price,
                "time_in_force": time_in_force,
                "dry_run": dry_run
            }
        )
        return response.json()

# Usage
api = TastyTradeAPI(
    base_url="https://tasty.gammabox.app",
    api_key="YOUR_API_KEY",
    account_id="YOUR_ACCOUNT_ID"
)

# Get balances
balances = api.get_balances()
print(balances)

# Get quotes
quotes = api.get_quotes(["SPY", "AAPL"])
print(quotes)

# Get option chain
chain = api.get_option_chain("TSLA")
print(f"Total expirations: {chain['total_expirations']}")
print(f"Total options: {chain['total_options']}")

# Filter for 4DTE options
from datetime import datetime, date
today = date.today()
for exp_date_str in chain['expiration_dates']:
    exp_date = datetime.strptime(exp_date_str, "%Y-%m-%d").date()
    dte = (exp_date - today).days
    if dte == 4:
        print(f"4DTE expiration: {exp_date_str}")
        print(f"Available strikes: {chain['chain'][exp_date_str]['strikes']}")

# Place order
order = api.place_order(
    legs=[{
        "symbol": "SPY",
        "option_type": "P",
        "action": "Buy to Open",
        "quantity": 1,
        "strike_price": 685.0,
        "expiration_date": "2025-12-19"
    }],
    price=-4.50,
    dry_run=True
)
print(order)
