"""Follows a URL with a client for server-sent events of Python's, and writes each event as a line of JSON.

    clients.py CLIENT URL

Neither client connects again by itself: their users do it, with the id of the last event, and so does this program. It ends
with its standard input, so that nothing is left of a test that was killed.
"""

import json
import os
import sys
import threading
import time

import httpx
import httpx_sse
import requests
import sseclient


def of_sseclient(url, headers):
    # What the environment says of proxies is not for this machine.
    with requests.Session() as session:
        session.trust_env = False
        with session.get(url, headers={"Accept": "text/event-stream", **headers}, stream=True) as response:
            response.raise_for_status()
            yield from sseclient.SSEClient(response).events()


def of_httpx_sse(url, headers):
    with httpx.Client(timeout=None, trust_env=False) as client:
        with httpx_sse.connect_sse(client, "GET", url, headers=headers) as source:
            source.response.raise_for_status()
            for event in source.iter_sse():
                # It takes a block that only says when to connect again for an event, which it is not.
                if event.retry is None:
                    yield event


CLIENTS = {"sseclient-py": of_sseclient, "httpx-sse": of_httpx_sse}


def follow(events_of, url):
    last = None
    while True:
        try:
            for event in events_of(url, {"Last-Event-ID": last} if last else {}):
                last = event.id or last
                print(json.dumps({"event": event.event, "data": event.data, "id": last}), flush=True)
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError, httpx.TransportError):
            pass
        time.sleep(0.05)


def end_with_the_test():
    sys.stdin.read()
    os._exit(0)


threading.Thread(target=end_with_the_test, daemon=True).start()
follow(CLIENTS[sys.argv[1]], sys.argv[2])
