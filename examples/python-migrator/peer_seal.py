"""Encryption of files for Interaction Recording: AES-256-CBC, the key enveloped for each certificate. openssl does the cryptography."""

import json
import os
import subprocess


class Sealer:
    def __init__(self, certificates, folder):
        self.certificates, self.folder = certificates, folder
        os.makedirs(folder, exist_ok=True)
        self.aliases = [self.alias(path) for path in certificates]

    def seal(self, recording_id, sound):
        """Ciphertext and the fields that open it. A key is made once: what was sealed is kept, or a repeat would be another file."""
        path = os.path.join(self.folder, f"{recording_id}.{sound.sha256}")
        if not os.path.exists(path):
            envelope, ciphertext = detach(self.encrypt(sound.data))
            with open(path + ".new", "wb") as file:
                file.write(json.dumps({"pkcs7": self.pem(envelope)}).encode() + b"\n" + ciphertext)
                file.flush()
                os.fsync(file.fileno())
            os.rename(path + ".new", path)
        with open(path, "rb") as file:
            fields = json.loads(file.readline())
            return file.read(), {**fields, "certAlias": self.aliases}

    def encrypt(self, data):
        command = ["openssl", "cms", "-encrypt", "-binary", "-aes256", "-outform", "DER", *self.certificates]
        return self.run(command, data)

    def pem(self, der):
        """In lines of 64."""
        text = self.run(["openssl", "base64", "-e"], der).decode()
        return f"-----BEGIN PKCS7-----\n{text}-----END PKCS7-----\n"

    def alias(self, path):
        """`rcs_<file>:1:<issuer>:<serial>`, the issuer in the certificate's own order."""
        options = "esc_2253,esc_ctrl,esc_msb,utf8,dump_nostr,dump_unknown,dump_der,sep_comma_plus,sname"
        told = self.run(["openssl", "x509", "-in", path, "-noout", "-issuer", "-serial", "-nameopt", options]).decode().splitlines()
        issuer, serial = told[0].removeprefix("issuer="), int(told[1].removeprefix("serial="), 16)
        return f"rcs_{os.path.splitext(os.path.basename(path))[0]}:1:{issuer}:{serial}"

    def run(self, command, data=b""):
        return subprocess.run(command, input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout


def read(der, at):
    """Tag, content's beginning and end of what stands at a place."""
    length, begin = der[at + 1], at + 2
    if length & 0x80:
        count = length & 0x7F
        length, begin = int.from_bytes(der[begin:begin + count], "big"), begin + count
    return der[at], begin, begin + length


def children(der, begin, end):
    found = []
    while begin < end:
        tag, inner, after = read(der, begin)
        found.append((tag, begin, inner, after))
        begin = after
    return found


def wrap(tag, content):
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def detach(der):
    """An enveloped-data ContentInfo without its encryptedContent, and that content (RFC 5652, sections 3 and 6.1)."""
    _, begin, end = read(der, 0)
    kind, explicit = children(der, begin, end)
    _, begin, end = read(der, explicit[2])
    enveloped = children(der, begin, end)
    at = next(n for n, child in enumerate(enveloped) if child[0] == 0x30)  # encryptedContentInfo: behind the version and the recipients
    info = children(der, *enveloped[at][2:])
    kept = b"".join(der[child[1]:child[3]] for child in info[:2])
    tag, _, inner, after = info[2]
    parts = children(der, inner, after) if tag == 0xA0 else []
    ciphertext = b"".join(der[part[2]:part[3]] for part in parts) if parts else der[inner:after]
    rest = [der[child[1]:child[3]] for child in enveloped]
    rest[at] = wrap(0x30, kept)
    return wrap(0x30, der[kind[1]:kind[3]] + wrap(0xA0, wrap(0x30, b"".join(rest)))), ciphertext
