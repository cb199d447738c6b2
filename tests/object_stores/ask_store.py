"""Sends one request to an object store: METHOD URL KEY BODY. With a key it is signed as Azure's
shared key asks (learn.microsoft.com, "Authorize with Shared Key"); without, it looks signed, which
is all that moto asks for.
Prints the status on a line of its own, then the headers and the body."""

import base64
import hashlib
import hmac
import sys
import urllib.error
import urllib.parse
import urllib.request
from email.utils import formatdate

method, url, key, body = sys.argv[1:5]
body = body.encode()
headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-12-02"}
if key:
    if method == "PUT" and "restype=container" not in url:
        headers["x-ms-blob-type"] = "BlockBlob"
    parts = urllib.parse.urlsplit(url)
    account = parts.path.split("/")[1]
    query = urllib.parse.parse_qs(parts.query)
    resource = f"/{account}{parts.path}" + "".join(
        f"\n{name.lower()}:{','.join(sorted(values))}" for name, values in sorted(query.items())
    )
    own = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    length = str(len(body)) if body else ""
    kind = "application/octet-stream" if body else ""
    signed = f"{method}\n\n\n{length}\n\n{kind}\n\n\n\n\n\n\n{own}{resource}"
    digest = hmac.new(base64.b64decode(key), signed.encode(), hashlib.sha256).digest()
    headers["Authorization"] = f"SharedKey {account}:{base64.b64encode(digest).decode()}"
else:
    headers["Authorization"] = (
        "AWS4-HMAC-SHA256 Credential=tester/20260101/us-east-1/s3/aws4_request, "
        "SignedHeaders=host, Signature=0"
    )
if body:
    headers["Content-Type"] = "application/octet-stream"
request = urllib.request.Request(url, data=body or None, method=method, headers=headers)
if method == "PUT" and not body:
    request.add_header("Content-Length", "0")
try:
    answer = urllib.request.urlopen(request, timeout=60)
except urllib.error.HTTPError as error:
    answer = error
print(answer.status)
print(answer.headers)
sys.stdout.flush()
sys.stdout.buffer.write(answer.read())
