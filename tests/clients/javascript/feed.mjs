// @dxfeed/dxlink-api: dxFeed's own client. Usage: node feed.mjs DXLINK_URL TOKEN FROM_MS

import {
  DXLinkFeed,
  DXLinkWebSocketClient,
  FeedContract,
  FeedDataFormat
} from '@dxfeed/dxlink-api'
import { report, when } from './report.mjs'

const [url, token, from] = process.argv.slice(2)

function collector(feed, enough) {
  const seen = []
  return when(
    (listener) => feed.addEventListener(listener),
    (events) => {
      seen.push(...events)
      return enough(seen) ? seen : undefined
    }
  )
}

async function quotes(client, format, fields) {
  const feed = new DXLinkFeed(client, FeedContract.TICKER)
  feed.configure({
    acceptAggregationPeriod: 0.1,
    acceptDataFormat: format,
    ...(fields && { acceptEventFields: { Quote: fields } })
  })
  const symbols = ['SPY', 'AAPL', 'NOSUCHSYMBOL']
  symbols.forEach((symbol) => feed.addSubscriptions({ type: 'Quote', symbol }))
  const seen = await collector(feed, (events) => {
    const count = (symbol) => events.filter((event) => event.eventSymbol === symbol).length
    return count('SPY') > 2 && count('AAPL') > 0
  })
  const config = feed.getConfig()
  feed.close()
  return { seen, config }
}

async function candles(client, contract) {
  const feed = new DXLinkFeed(client, contract)
  feed.configure({ acceptAggregationPeriod: 0.1, acceptDataFormat: FeedDataFormat.COMPACT })
  feed.addSubscriptions({ type: 'Candle', symbol: 'SPY{=5m}', fromTime: Number(from) })
  const seen = await collector(feed, (events) =>
    events.some((event) => event.eventFlags & 0x8 || event.eventFlags & 0x10)
  )
  feed.close()
  return { seen }
}

await report(async () => {
  const client = new DXLinkWebSocketClient()
  const errors = []
  client.addErrorListener((error) => errors.push(error))
  client.connect(url)
  client.setAuthToken(token)
  const result = {
    compact: await quotes(client, FeedDataFormat.COMPACT, [
      'eventSymbol',
      'bidPrice',
      'askPrice',
      'noSuchField'
    ]),
    full: await quotes(client, FeedDataFormat.FULL),
    history: await candles(client, FeedContract.HISTORY),
    auto: await candles(client, FeedContract.AUTO),
    state: [client.getConnectionState(), client.getAuthState()],
    errors
  }
  client.close()
  return result
})
