"""A mail server for tests: aiosmtpd, an ordinary one, on a free port of 127.0.0.1, that fails as it is told.

mail_server.py DIR [--tls CERT KEY] [--implicit] [--login USER PASSWORD] [--greet-no]

Its port goes to standard output once it listens. Each message that is taken becomes DIR/N.eml, its envelope in the first lines. What goes wrong is chosen by the
local part of the recipient: busy (451 at RCPT), gone (550), full (452 after the data), big (552 after the data),
cut (closed within the data), lost (taken, but closed before it says so), later-N (451 the first N times).
"""
import asyncio
import os
import ssl
import sys
from aiosmtpd.smtp import SMTP, AuthResult


class Keeper:
    def __init__(self, directory):
        self.directory, self.count, self.turned_away = directory, 0, {}

    async def handle_RCPT(self, server, session, envelope, address, options):
        name = address.split("@")[0]
        if name == "busy":
            return "451 4.7.1 come back later"
        if name == "gone":
            return "550 5.1.1 no such mailbox <b>here</b>"
        if name.startswith("later-"):
            self.turned_away[name] = self.turned_away.get(name, 0) + 1
            if self.turned_away[name] <= int(name.split("-")[1]):
                return "451 4.7.1 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        name = envelope.rcpt_tos[0].split("@")[0]
        if name == "full":
            return "452 4.2.2 the mailbox is full"
        if name == "big":
            return "552 5.3.4 the message is too big"
        if name == "cut":
            server.transport.abort()
            return "250 OK"
        self.count += 1
        path = os.path.join(self.directory, "%d.eml" % self.count)
        with open(path + ".new", "wb") as file:
            login = getattr(session, "okno_login", b"")
            file.write(b"X-From: %s\nX-To: %s\nX-Login: %s\nX-Tls: %s\n" % (
                envelope.mail_from.encode(), " ".join(envelope.rcpt_tos).encode(), login,
                b"yes" if session.ssl else b"no"))
            file.write(envelope.content)
        os.rename(path + ".new", path)
        if name == "lost":
            server.transport.abort()
        return "250 OK"


class TurnedAway(asyncio.Protocol):
    def connection_made(self, transport):
        transport.write(b"554 5.7.1 nobody is served here\r\n")
        transport.close()


def main():
    directory, rest = sys.argv[1], sys.argv[2:]
    options = {"hostname": "mail.test", "enable_SMTPUTF8": False, "data_size_limit": 32 << 20}
    context = None
    if "--tls" in rest:
        at = rest.index("--tls")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(rest[at + 1], rest[at + 2])
        if "--implicit" not in rest:
            options.update(tls_context=context, require_starttls=True)
    if "--login" in rest:
        at = rest.index("--login")
        wanted = (rest[at + 1].encode(), rest[at + 2].encode())

        def check(server, session, envelope, mechanism, data):
            session.okno_login = data.login
            return AuthResult(success=(data.login, data.password) == wanted, handled=False)
        options.update(authenticator=check, auth_required=True, auth_require_tls="--implicit" not in rest)
    keeper = Keeper(directory)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    make = TurnedAway if "--greet-no" in rest else lambda: SMTP(keeper, loop=loop, **options)
    server = loop.run_until_complete(loop.create_server(
        make, "127.0.0.1", 0, ssl=context if "--implicit" in rest else None))
    print(server.sockets[0].getsockname()[1], flush=True)
    loop.run_forever()


main()
