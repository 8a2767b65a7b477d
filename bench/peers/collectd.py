import shutil
from collections.abc import Sequence
from pathlib import Path

from peers.peer import MissingError, MqttPeer

CONFIGURATION = """
Hostname "bench"
FQDNLookup false
Interval 1
BaseDir "{folder}"
PIDFile "{folder}/pid"
TypesDB "/usr/share/collectd/types.db"
LoadPlugin logfile
<Plugin logfile>
  LogLevel warning
  File stderr
</Plugin>
LoadPlugin cpu
LoadPlugin memory
LoadPlugin swap
LoadPlugin disk
LoadPlugin df
LoadPlugin interface
LoadPlugin load
LoadPlugin sensors
LoadPlugin processes
LoadPlugin uptime
<Plugin df>
  IgnoreSelected true
  FSType rootfs
  FSType sysfs
  FSType proc
  FSType devtmpfs
  FSType devpts
  FSType tmpfs
  FSType fusectl
  FSType cgroup
  FSType overlay
</Plugin>
LoadPlugin mqtt
<Plugin mqtt>
  <Publish "bench">
    Host "127.0.0.1"
    Port {port}
    ClientId "collectd-bench"
    Prefix "collectd"
    QoS 0
    Retain false
    StoreRates true
  </Publish>
</Plugin>
"""
LIBRARIES = {"libmosquitto1": "libmosquitto.so.1", "libsensors5": "libsensors.so.5"}


class Collectd(MqttPeer):
    """collectd with the groups that Fleetglass has and it can give, all of them once per second."""

    name = "collectd"
    delivery = "MQTT, one message per value"
    topics = "collectd/#"

    def command(self) -> Sequence[str]:
        """Write its configuration; df leaves out what Debian's own configuration leaves out."""
        program = shutil.which("collectd") or shutil.which("collectd", path="/usr/sbin")
        if program is None:
            raise MissingError(f"apt-get install --no-install-recommends collectd-core {' '.join(LIBRARIES)}")
        for package, library in LIBRARIES.items():
            if not any(Path(folder).glob(f"*/{library}") for folder in ("/lib", "/usr/lib")):
                raise MissingError(f"apt-get install {package}")
        configuration = self.folder / "collectd.conf"
        configuration.write_text(CONFIGURATION.format(folder=self.folder, port=self.port))
        return [program, "-f", "-C", str(configuration)]

    def values_in(self, payload: bytes) -> int:
        """Count the values of `time:value[:value]` (collectd's "Plain text protocol", PUTVAL)."""
        return payload.count(b":")
