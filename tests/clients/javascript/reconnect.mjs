// @dxfeed/dxlink-api, when the connection is cut: does it come back, and do its quotes?
// Usage: node reconnect.mjs DXLINK_URL TOKEN BASE_URL

import { DXLinkFeed, DXLinkWebSocketClient, FeedContract } from '@dxfeed/dxlink-api'
import { report, when } from './report.mjs'

const [url, token, base] = process.argv.slice(2)

await report(async () => {
  const client = new DXLinkWebSocketClient()
  const states = []
  client.addConnectionStateChangeListener((state) => states.push(state))
  client.connect(url)
  client.setAuthToken(token)
  const feed = new DXLinkFeed(client, FeedContract.TICKER)
  feed.addSubscriptions({ type: 'Quote', symbol: 'SPY' })
  const arrival = () => when((listener) => feed.addEventListener(listener), () => true)
  await arrival()
  await fetch(`${base}/_admin/faults`, {
    method: 'POST',
    body: JSON.stringify({ kind: 'drop', path: '/dxlink', at: 'now' })
  })
  await when(
    (listener) => client.addConnectionStateChangeListener(listener),
    (state) => (state === 'CONNECTED' ? true : undefined)
  )
  await arrival()
  client.close()
  return { states }
})
