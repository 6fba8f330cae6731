/** The config that a newcomer starts from: it writes nothing until its owner says so. */

/** The one account of it. */
export const STARTER_ACCOUNT = "main";

/** Text for a new config file; valid as it stands once the two variables are set. */
export function initConfigText(): string {
  return STARTER;
}

const STARTER = `# bybit-backstop: which positions get which stop-loss and take-profit at the exchange.
# Unknown keys are refused. Paths are relative to this file.

accounts:
  - name: ${STARTER_ACCOUNT}                        # how reports and commands call it; a-z, 0-9 and -
    environment: mainnet              # mainnet | testnet | demo | custom
    # region: default                 # bytick | NL | TK | KZ | HK | GE | UAE | EU | ID | JP
    key: \${BYBIT_API_KEY}             # an environment variable, or file:PATH of a file with mode 0600
    secret: \${BYBIT_API_SECRET}       # a key that can withdraw is refused; reading is enough for audit
    # categories: [linear, inverse]   # contract families to look at
    # allowPermissions: []            # extra rights of the key that you accept by name
    # copyTradingMaster: false        # true: yes, my exits may close my followers' positions too

# scope: all                          # listed: only positions that a rule matches are written

protection:
  mode: report-only                   # report-only writes nothing
                                      # create-only adds what is missing and touches nothing that exists
                                      # tighten-only also moves a stop that is wider than configured
                                      # sync also moves a take-profit; no mode loosens or removes a stop
  # stopLoss:                         # required by every mode but report-only: there is no built-in distance
  #   distance: 2%                    # from the average entry price
  #   triggerBy: MarkPrice            # MarkPrice | LastPrice | IndexPrice; liquidation goes by MarkPrice
  # takeProfit:                       # leave it out for none
  #   distance: 2R                    # twice the stop's distance, or a percentage
  #   triggerBy: LastPrice
  # pastStop: rebase                  # price already past the wanted stop: rebase | nearest | close | alert
  # pastTakeProfit: skip              # price already past the take-profit: skip | nearest | close
  # liquidationBuffer: 0.5%           # how far inside the liquidation price a stop is kept
  # onScaleIn: keep                   # size was added: keep the stop, or tighten it
  # onDrift: restore                  # another hand loosened a stop: restore (tighten-only, sync) | alert
  # hedged: protect                   # legs that offset each other: protect | alert | ignore
  # attachToOrders: false             # true: resting entry orders get their exits before they fill
  # graceMs: 0                        # how long your bot may take to set its own stop after a fill
  # vanishMs: 5000                    # how long a stop may be gone before it is put back

# rules:                              # first match wins; each overrides only what it names
#   - match: { symbol: "BTC*", side: long }
#     stopLoss: { distance: 1% }
#   - match: { symbol: DOGEUSDT }
#     ignore: true

# sweep: { cron: "*/30 * * * * *" }   # when everything is looked at while running; seconds first
# budget: { writesPerSecond: 9, ipShare: 50% }   # the rest stays with your bot
# ledger: { url: "file:state/backstop.db" }      # history and intents; postgres://… for several machines
# intents: { file: state/intents.json }          # for bots that can only write files
# http: { host: 127.0.0.1, port: 8787, tokenFile: state/token }   # the API; absent: none
# heartbeat: { url: "https://hc.example.com/ping/name" }          # pinged after each complete pass
`;
