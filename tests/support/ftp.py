"""pyftpdlib (Debian) as an ordinary process: PORT FOLDER USER PASSWORD."""
import logging, sys
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer

logging.basicConfig(level=logging.ERROR)
people = DummyAuthorizer()
people.add_user(sys.argv[3], sys.argv[4], sys.argv[2])
FTPHandler.authorizer = people
FTPHandler.auth_failed_timeout = 0
FTPServer(('127.0.0.1', int(sys.argv[1])), FTPHandler).serve_forever(handle_exit=True)
