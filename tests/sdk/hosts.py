#!/usr/bin/env python3
"""The vendor's Python SDK with its own hosts: api.mypurecloud.com and login.mypurecloud.com, over HTTPS.

    hosts.py PORT CA.pem

What is changed is around it, as a tester would: names lead to this machine's PORT, and the CA is trusted. Prints one JSON line.
"""

import json
import socket
import ssl
import sys
import urllib.request

PORT, CA = int(sys.argv[1]), sys.argv[2]

ask = socket.getaddrinfo


def here(host, port, *rest, **more):
    """What /etc/hosts and a redirected port would do."""
    return ask("127.0.0.1", PORT, *rest, **more)


socket.getaddrinfo = here

import PureCloudPlatformClientV2 as sdk  # noqa: E402

sdk.configuration.ssl_ca_cert = CA
with urllib.request.urlopen("https://control.seatrial.test/_sim/credentials", context=ssl.create_default_context(cafile=CA)) as answer:
    client = json.load(answer)["genesys_cloud"]
api = sdk.api_client.ApiClient().get_client_credentials_token(client["client_id"], client["client_secret"])
users = sdk.UsersApi(api).get_users(page_size=100)
print(json.dumps({"host": sdk.configuration.host, "users": users.total, "page": users.page_number}))
