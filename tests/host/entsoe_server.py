"""A stand-in for the ENTSO-E transparency platform: day-ahead prices (A44) in its XML, and its failures."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pandas as pd

NOTHING = """<Acknowledgement_MarketDocument>
  <Reason><code>999</code><text>No matching data found for Data item Day-ahead Prices [12.1.D]</text></Reason>
</Acknowledgement_MarketDocument>"""


class Market:
    """What the platform has, and what it was asked.

    Attributes
    ----------
    prices
        Prices [EUR/MWh] by the start of the span for which they hold, by the code of the area; NaN where none was
        published.
    resolution
        For how long each holds.
    failure
        HTTP code of all answers, or None.
    asked
        The parameters of all requests.

    """

    def __init__(self):
        self.prices = {}
        self.resolution = "PT15M"
        self.failure = None
        self.asked = []
        self.url = None

    def publish(self, area, first_day, last_day, timezone, resolution="PT15M"):
        """Publish prices of days, local time: for each span one EUR/MWh more; return them."""
        self.resolution = resolution
        end = pd.Timestamp(last_day, tz=timezone) + pd.DateOffset(days=1)
        moments = pd.date_range(
            pd.Timestamp(first_day, tz=timezone), end, freq=pd.Timedelta(resolution), inclusive="left"
        )
        self.prices[area] = pd.Series([float(i) for i in range(len(moments))], index=moments)
        return self.prices[area]

    def answer(self, asked):
        """Return HTTP code and document for a request."""
        self.asked.append(asked)
        if self.failure:
            return self.failure, "<html><body>There is a problem.</body></html>"
        begin, end = (
            pd.to_datetime(asked[name], format="%Y%m%d%H%M", utc=True) for name in ("periodStart", "periodEnd")
        )
        prices = self.prices.get(asked["in_Domain"], pd.Series(dtype=float, index=pd.DatetimeIndex([], tz="UTC")))
        days = prices.groupby(prices.index.normalize())
        # it gives whole days
        series = [self._day(day) for _, day in days if day.index[-1] >= begin and day.index[0] < end]
        if asked["offset"] != "0" or not series:
            return 200, NOTHING
        return 200, f"<Publication_MarketDocument>{''.join(series)}</Publication_MarketDocument>"

    def _day(self, day):
        """Return the time series of a day, as the platform writes it."""
        step = pd.Timedelta(self.resolution)
        begin, end = (f"{moment.tz_convert('UTC'):%Y-%m-%dT%H:%MZ}" for moment in (day.index[0], day.index[-1] + step))
        points = "".join(
            f"<Point><position>{i}</position><price.amount>{price}</price.amount></Point>"
            for i, price in enumerate(day, start=1)
            if price == price  # noqa: PLR0124 (not NaN)
        )
        return f"""<TimeSeries>
          <auction.type>A01</auction.type><contract_MarketAgreement.type>A01</contract_MarketAgreement.type>
          <currency_Unit.name>EUR</currency_Unit.name><price_Measure_Unit.name>MWH</price_Measure_Unit.name>
          <curveType>A01</curveType>
          <Period><timeInterval><start>{begin}</start><end>{end}</end></timeInterval>
          <resolution>{self.resolution}</resolution>{points}</Period>
        </TimeSeries>"""


@contextmanager
def serving(market):
    """Serve a market on a free port of this machine; its ``url`` says where."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
            code, document = market.answer(asked)
            body = document.encode()
            self.send_response(code)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    market.url = f"http://127.0.0.1:{server.server_port}/api"
    try:
        yield market
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
