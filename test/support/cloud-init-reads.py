"""usage: python3 cloud-init-reads.py FOLDER. Prints, as JSON, what Debian's cloud-init makes of the NoCloud seed in it:
the merged configuration, the users, and the owner's public keys. Changes nothing on this machine."""
import json
import logging
import sys
import tempfile

from cloudinit import distros, handlers, helpers, safeyaml, user_data, util
from cloudinit.distros import ug_util
from cloudinit.handlers.cloud_config import CloudConfigPartHandler
from cloudinit.handlers.shell_script import ShellScriptPartHandler
from cloudinit.settings import PER_ALWAYS
from cloudinit.sources import normalize_pubkey_data

logging.disable(logging.CRITICAL)
seed, work = sys.argv[1], tempfile.mkdtemp()
paths = helpers.Paths({"cloud_dir": work, "run_dir": work})


class Scripts(ShellScriptPartHandler):
    """Tells of a script in place of installing it."""

    found = []

    def __init__(self):
        handlers.Handler.__init__(self, PER_ALWAYS)

    def handle_part(self, data, ctype, filename, payload, frequency):
        if ctype not in handlers.CONTENT_SIGNALS:
            self.found.append(payload)


def configuration(name):
    """The cloud-config of a document, all its parts merged as cloud-init merges them."""
    config = CloudConfigPartHandler(paths)
    config.cloud_fn = f"{work}/{name}"
    known = helpers.ContentHandlers()
    known.register(config, overwrite=True)
    known.register(Scripts(), overwrite=True)
    message = user_data.UserDataProcessor(paths).process(util.load_file(f"{seed}/{name}", decode=False))
    data = {"handlers": known, "handlerdir": work, "data": None, "frequency": PER_ALWAYS, "handlercount": 0, "excluded": []}
    handlers.call_begin(config, None, PER_ALWAYS)
    handlers.walk(message, handlers.walker_callback, data)
    handlers.call_end(config, None, PER_ALWAYS)
    return safeyaml.load(util.load_file(config.cloud_fn)) or {}


merged = util.mergemanydict([configuration("user-data"), configuration("vendor-data"), {"disable_root": True, "users": []}])
debian = distros.fetch("debian")("debian", {"default_user": {"name": "debian"}}, paths)
meta = safeyaml.load(util.load_file(f"{seed}/meta-data"))
print(json.dumps({
    "config": merged,
    "users": ug_util.normalize_users_groups(merged, debian)[0],
    "keys": normalize_pubkey_data(meta.get("public-keys")),
    "scripts": Scripts.found,
}))
