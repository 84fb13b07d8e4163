"""An ONVIF replay out of GStreamer's RTSP server: one film that began at FROM (seconds since 1970), asked by the clock, each frame
with its time. replay_gst.py PORT FILM FROM CODEC"""
import datetime, sys
import gi
gi.require_version('Gst', '1.0')
gi.require_version('GstRtsp', '1.0')
gi.require_version('GstRtspServer', '1.0')
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer

port, film, began = sys.argv[1], sys.argv[2], int(sys.argv[3])
NTP = 2208988800  # 1900 to 1970
UTC = datetime.timezone.utc
Gst.init(None)


class Replay(GstRtspServer.RTSPOnvifMedia):
    """The pipeline counts from the film's beginning, the client asks by the clock."""

    def do_convert_range(self, span, unit):
        if span.unit == unit:
            return True
        for point, date in ((span.min, span.min2), (span.max, span.max2)):
            if point.type not in (GstRtsp.RTSPTimeType.SECONDS, GstRtsp.RTSPTimeType.UTC):
                continue
            if unit == GstRtsp.RTSPRangeUnit.NPT:
                point.seconds += datetime.datetime(date.year, date.month, date.day, tzinfo=UTC).timestamp() - began
                point.type = GstRtsp.RTSPTimeType.SECONDS
            else:
                at = datetime.datetime.fromtimestamp(began + point.seconds, UTC)
                date.year, date.month, date.day = at.year, at.month, at.day
                point.seconds = (at - at.replace(hour=0, minute=0, second=0, microsecond=0)).total_seconds()
                point.type = GstRtsp.RTSPTimeType.UTC
        span.unit = unit
        return True


server = GstRtspServer.RTSPOnvifServer(address='127.0.0.1', service=port)
factory = GstRtspServer.RTSPOnvifMediaFactory()
factory.set_media_gtype(Replay)
codec = sys.argv[4]  # h264 or h265
factory.set_launch(f'( filesrc location={film} ! qtdemux ! {codec}parse ! rtp{codec}pay config-interval=-1 pt=96 ! '
                   f'rtponviftimestamp name=pay0 set-e-bit=true set-t-bit=true ntp-offset={(began + NTP) * 10 ** 9} )')
server.get_mount_points().add_factory('/replay', factory)
server.attach(None)
GLib.MainLoop().run()
