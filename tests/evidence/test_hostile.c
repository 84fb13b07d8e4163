#define _GNU_SOURCE
/* Recorders that answer what no recorder should, each kind in its own words, through the whole way:
 * what the survey's job says and when it asks again, that nothing is stuck, that no login is told,
 * and that nobody else is asked. */
#include "../support/fault.h"
#include "../support/program.h"
#include "shop.h"

#define PASSWORD "s3cret Pass"
#define ENCODED "s3cret%20Pass"

enum { ANSWERS = 12, DEADLINE_S = 1 };

/* How a kind is described. */
struct kind {
    const char *kind, *channel, *options;
};

/* One row, one test. Answers come in turn, the last one again and again; "@ELSEWHERE@" in them is
 * an address of this machine that nobody may ask. */
struct row {
    const char *name;
    const struct kind *kind;
    struct fault answers[ANSWERS];
    const char *job; /* its state and code */
    const char *says;
};

static const struct kind axxon = {"axxon", "SRV/DeviceIpint.1/SourceEndpoint.video:0:0", ""};
static const struct kind trassir = {"trassir", "guid", "times=utc"};
static const struct kind shinobi = {"shinobi", "m1", ""};
static const struct kind zoneminder = {"zoneminder", "1", "zone=table"};
static const struct kind hikvision = {"hikvision", "101", "times=utc"};
static const struct kind dahua = {"dahua", "1", ""};
static const struct kind onvif = {"onvif", "REC1", ""};
static const struct kind profile = {"profile", "till", ""};
static const struct kind s3 = {"dir", "cam1", "endpoint="};

#define OK(body)                                                                                   \
    {                                                                                              \
        .kind = FAULT_REPLY, .text = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" body           \
    }
#define ENDLESS(begin, again)                                                                      \
    {                                                                                              \
        .kind = FAULT_ENDLESS, .text = "HTTP/1.1 200 OK\r\n\r\n" begin, .more = (again)            \
    }
#define TRICKLE(begin)                                                                             \
    {                                                                                              \
        .kind = FAULT_DRIP, .text = "HTTP/1.1 200 OK\r\n\r\n" begin, .more = " ", .pause_ms = 50   \
    }
#define LENGTH(text_of_it)                                                                         \
    {                                                                                              \
        .kind = FAULT_REPLY,                                                                       \
        .text = "HTTP/1.1 200 OK\r\nContent-Length: " text_of_it "\r\nConnection: close\r\n\r\nx"  \
    }
#define AWAY(path)                                                                                 \
    {                                                                                              \
        .kind = FAULT_REPLY, .text = "HTTP/1.1 302 Found\r\nLocation: " path                       \
                                     "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"          \
    }
#define BOMB                                                                                       \
    "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b "                    \
    "\"&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c SYSTEM \"file:///etc/passwd\"><!ENTITY d SYSTEM "     \
    "\"@ELSEWHERE@/d\">]><x>&b;&c;&d;</x>"
#define X8(t) t t t t t t t t
#define DEEP_XML X8("<a><a><a><a><a><a><a><a>")
#define DEEP_JSON X8(X8(X8("[[[[[")))

/* --- what each kind says when all is well ---------------------------------------------------- */

#define AXXON_LIST                                                                                 \
    OK("{\"intervals\":[{\"begin\":\"20260310T070000.000\",\"end\":\"20260310T070500.000\"}],"     \
       "\"more\":false}")
#define AXXON_TASK(where)                                                                          \
    {                                                                                              \
        .kind = FAULT_REPLY, .text = "HTTP/1.1 202 Accepted\r\nLocation: " where                   \
                                     "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"          \
    }
#define TRASSIR_LOGIN OK("{\"success\":1,\"sid\":\"sid1\"}")
#define TRASSIR_TASK OK("{\"success\":1,\"task_id\":\"task1\"}")
#define TRASSIR_READY OK("{\"success\":1,\"active\":true,\"done\":false}")
#define SHINOBI_LIST                                                                               \
    OK("{\"ok\":true,\"videos\":[{\"filename\":\"2026-03-10T07-00-00.mp4\",\"time\":"              \
       "\"2026-03-10T07:00:00Z\",\"end\":\"2026-03-10T07:05:00Z\",\"href\":\"@ELSEWHERE@/x\"}]}")
#define ZM_LOGIN OK("{\"access_token\":\"t1\"}")
#define ZM_EVENT(id)                                                                               \
    "{\"Event\":{\"Id\":" id                                                                       \
    ",\"StartDateTime\":\"2026-03-10 07:00:00\",\"EndDateTime\":\"2026-03-10 07:05:00\","          \
    "\"Length\":\"300\"}}"
#define ZM_LIST OK("{\"events\":[" ZM_EVENT("1") "],\"pagination\":{\"nextPage\":false}}")
#define ZM_NONE OK("{\"events\":[],\"pagination\":{\"nextPage\":false}}")
#define HIK_ITEM(uri)                                                                              \
    "<searchMatchItem><timeSpan><startTime>2026-03-10T07:00:00Z</startTime><endTime>"              \
    "2026-03-10T07:05:00Z</endTime></timeSpan><playbackURI>" uri                                   \
    "</playbackURI></searchMatchItem>"
#define HIK(status, items)                                                                         \
    OK("<CMSearchResult><responseStatusStrg>" status "</responseStatusStrg><matchList>" items      \
       "</matchList></CMSearchResult>")
#define HIK_LIST HIK("OK", HIK_ITEM("rtsp://127.0.0.1/Streaming/tracks/101/?starttime=x"))
#define DAHUA_OBJECT OK("result=7\r\n")
#define DAHUA_LIST                                                                                 \
    OK("found=1\r\nitems[0].StartTime=2026-03-10 07:00:00\r\nitems[0].EndTime=2026-03-10 "         \
       "07:05:00\r\n")
#define SOAP(body) OK("<s:Envelope><s:Body>" body "</s:Body></s:Envelope>")
#define ONVIF_TIME                                                                                 \
    SOAP(                                                                                          \
        "<UTCDateTime><Time><Hour>7</Hour><Minute>0</Minute><Second>0</Second></Time><Date>"       \
        "<Year>2026</Year><Month>3</Month><Day>10</Day></Date></UTCDateTime>")
#define ONVIF_SERVICES                                                                             \
    SOAP(                                                                                          \
        "<Service><Namespace>http://www.onvif.org/ver10/search/wsdl</Namespace><XAddr>"            \
        "@ELSEWHERE@/s</XAddr></Service><Service><Namespace>"                                      \
        "http://www.onvif.org/ver10/replay/wsdl</Namespace><XAddr>file:///etc/passwd</XAddr>"      \
        "</Service>")
#define ONVIF_RECORDING                                                                            \
    SOAP(                                                                                          \
        "<RecordingInformation><EarliestRecording>2026-03-10T07:00:00Z</EarliestRecording>"        \
        "<LatestRecording>2026-03-10T07:05:00Z</LatestRecording></RecordingInformation>")
#define ONVIF_GOOD                                                                                 \
    SOAP(                                                                                          \
        "<Service><Namespace>http://www.onvif.org/ver10/search/wsdl</Namespace><XAddr>"            \
        "@ELSEWHERE@/s</XAddr></Service><Service><Namespace>"                                      \
        "http://www.onvif.org/ver10/replay/wsdl</Namespace><XAddr>@ELSEWHERE@/r</XAddr>"           \
        "</Service>")
#define ONVIF_EVENTS SOAP("<SearchState>Completed</SearchState>")
#define ONVIF_LOOK ONVIF_RECORDING, ONVIF_TOKEN, ONVIF_EVENTS, SOAP("<Endpoint/>")
#define ONVIF_TOKEN SOAP("<SearchToken>t</SearchToken>")
#define S3_SAYS(status, inner)                                                                     \
    {                                                                                              \
        .kind = FAULT_REPLY, .text = "HTTP/1.1 " status                                            \
                                     "\r\nConnection: close\r\n\r\n"                               \
                                     "<?xml version=\"1.0\"?><Error>" inner "</Error>"             \
    }
#define S3_LIST(inner) OK("<ListBucketResult>" inner "</ListBucketResult>")

static const char own[] =
    "{\"times\": \"unix_s\", \"length\": \"s\", \"coverage\": {\"path\": \"/key-{password}/list\", "
    "\"rows\": \"\", "
    "\"from\": \"start\", \"length\": \"length\", \"times\": \"unix_s\"}, \"clip\": {\"path\": "
    "\"/clip/{password}/{channel}\", \"format\": \"mov\"}}";

/* --- the rows --------------------------------------------------------------------------------- */

static const struct row rows[] = {
    /* Axxon */
    {"axxon_a_list_without_end",
     &axxon,
     {ENDLESS("{\"intervals\":[", X8(X8(X8("{},"))))},
     "waiting too_large",
     "window_mb"},
    {"axxon_a_header_without_end",
     &axxon,
     {{.kind = FAULT_ENDLESS, .text = "HTTP/1.1 200 OK\r\nX: ", .more = X8(X8(X8("yyyyyyy")))}},
     "waiting protocol",
     "headers are more"},
    {"axxon_a_list_by_trickle", &axxon, {TRICKLE("{")}, "waiting timeout", "in time"},
    {"axxon_a_list_of_another_type",
     &axxon,
     {OK("{\"intervals\":{\"begin\":1}}")},
     "waiting protocol",
     "no list of intervals"},
    {"axxon_a_deep_list", &axxon, {OK(DEEP_JSON)}, "waiting protocol", "no JSON"},
    {"axxon_a_list_that_goes_on_by_nothing",
     &axxon,
     {OK("{\"intervals\":[],\"more\":true}")},
     "waiting protocol",
     "does not go on"},
    {"axxon_a_length_below_nothing", &axxon, {LENGTH("-5")}, "waiting protocol", ""},
    {"axxon_a_huge_length", &axxon, {LENGTH("9223372036854775807")}, "waiting protocol", ""},
    {"axxon_a_length_beyond_numbers",
     &axxon,
     {LENGTH("99999999999999999999999")},
     "waiting protocol",
     ""},
    {"axxon_a_task_elsewhere",
     &axxon,
     {AXXON_LIST, AXXON_LIST, AXXON_TASK("@ELSEWHERE@/export/t1"),
      OK("{\"state\":2,\"files\":[\"a\"]}"), OK("not a film")},
     "waiting media",
     ""},
    {"axxon_a_task_that_is_a_path",
     &axxon,
     {AXXON_LIST, AXXON_LIST, AXXON_TASK("file:///etc/..%2fpasswd")},
     "waiting protocol",
     "does not name it"},
    {"axxon_a_task_in_no_known_state",
     &axxon,
     {AXXON_LIST, AXXON_LIST, AXXON_TASK("/export/t1"),
      OK("{\"state\":4294967298,\"files\":[\"a\"]}")},
     "waiting transient",
     "unknown"},
    {"axxon_a_task_that_never_ends",
     &axxon,
     {AXXON_LIST, AXXON_LIST, AXXON_TASK("/export/t1"), OK("{\"state\":1}")},
     "waiting timeout",
     "not"},
    {"axxon_an_export_without_end",
     &axxon,
     {AXXON_LIST, AXXON_LIST, AXXON_TASK("/export/t1"), OK("{\"state\":2,\"files\":[\"../../x\"]}"),
      ENDLESS("x", X8(X8(X8("1234567"))))},
     "failed too_large",
     "window_mb"},
    {"axxon_sends_away",
     &axxon,
     {AWAY("@ELSEWHERE@/x")},
     "waiting archive_refused",
     "not followed"},
    /* TRASSIR */
    {"trassir_a_reason_with_the_password",
     &trassir,
     {OK("{\"success\":0,\"error_code\":\"no user anna with " PASSWORD " \\u001b[2J\"}")},
     "waiting archive_refused",
     "refuses"},
    {"trassir_a_session_that_leads_elsewhere",
     &trassir,
     {OK("{\"success\":1,\"sid\":\"x&y=1#\"}")},
     "waiting protocol",
     "session"},
    {"trassir_a_task_that_is_a_number",
     &trassir,
     {TRASSIR_LOGIN, OK("{\"success\":1,\"task_id\":7}")},
     "waiting protocol",
     "does not name it"},
    {"trassir_a_task_that_never_ends",
     &trassir,
     {TRASSIR_LOGIN, TRASSIR_TASK, OK("{\"success\":1,\"active\":false}")},
     "waiting archive_busy",
     "other exports"},
    {"trassir_a_status_by_trickle",
     &trassir,
     {TRASSIR_LOGIN, TRASSIR_TASK, TRICKLE("{\"success\":1")},
     "waiting timeout",
     "in time"},
    {"trassir_an_export_by_trickle",
     &trassir,
     {TRASSIR_LOGIN, TRASSIR_TASK, TRASSIR_READY, TRICKLE("x")},
     "waiting timeout",
     ""},
    {"trassir_an_export_elsewhere",
     &trassir,
     {TRASSIR_LOGIN, TRASSIR_TASK, TRASSIR_READY, AWAY("@ELSEWHERE@/" ENCODED "/x")},
     "waiting archive_refused",
     "not followed"},
    {"trassir_sends_the_login_away",
     &trassir,
     {AWAY("@ELSEWHERE@/login?username=anna&password=" ENCODED)},
     "waiting archive_refused",
     "not followed"},
    {"trassir_is_an_array", &trassir, {OK("[1,2]")}, "waiting archive_refused", "refuses"},
    /* Shinobi */
    {"shinobi_a_list_without_end",
     &shinobi,
     {ENDLESS("{\"videos\":[", X8(X8(X8("{},"))))},
     "waiting too_large",
     "window_mb"},
    {"shinobi_a_list_of_another_type",
     &shinobi,
     {OK("{\"videos\":[7]}")},
     "waiting protocol",
     "recordings has another shape"},
    {"shinobi_a_name_that_is_a_path",
     &shinobi,
     {OK("{\"videos\":[{\"filename\":\"../../../etc/passwd\",\"time\":\"\",\"end\":\"\"}]}")},
     "waiting protocol",
     "shape"},
    {"shinobi_sends_the_file_away",
     &shinobi,
     {SHINOBI_LIST, AWAY("file:///etc/passwd")},
     "waiting archive_refused",
     "not followed"},
    {"shinobi_a_file_by_trickle",
     &shinobi,
     {SHINOBI_LIST, TRICKLE("x")},
     "waiting timeout",
     "in time"},
    {"shinobi_a_range_of_another_world",
     &shinobi,
     {SHINOBI_LIST,
      {.kind = FAULT_REPLY,
       .text = "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes "
               "0-99999999999999999999/-1\r\nContent-Length: 4\r\nConnection: close\r\n\r\nabcd"}},
     "waiting protocol",
     ""},
    /* ZoneMinder */
    {"zoneminder_a_token_of_another_world",
     &zoneminder,
     {OK("{\"access_token\":[]}"), OK("{\"events\":7}")},
     "waiting protocol",
     "no list of events"},
    {"zoneminder_pages_without_end",
     &zoneminder,
     {ZM_LOGIN, OK("{\"events\":[" ZM_EVENT("1") "],\"pagination\":{\"nextPage\":true}}")},
     "waiting too_long",
     "ask for less"},
    {"zoneminder_numbers_of_another_world",
     &zoneminder,
     {ZM_LOGIN, OK("{\"events\":[" ZM_EVENT("-9e99") "]}")},
     "waiting protocol",
     "no list of events"},
    {"zoneminder_a_huge_number",
     &zoneminder,
     {ZM_LOGIN, OK("{\"events\":[" ZM_EVENT("99999999999999999999999999") "]}")},
     "waiting protocol",
     "no JSON"},
    {"zoneminder_sends_the_login_away",
     &zoneminder,
     {AWAY("@ELSEWHERE@/api/host/login.json")},
     "waiting archive_refused",
     "not followed"},
    {"zoneminder_a_file_without_end",
     &zoneminder,
     {ZM_LOGIN, ZM_LIST, ZM_NONE, ZM_LIST, ZM_NONE, ENDLESS("x", X8(X8(X8("1234567"))))},
     "waiting protocol",
     ""},
    /* Hikvision */
    {"hikvision_a_bomb", &hikvision, {OK(BOMB)}, "waiting protocol", "no result of a search"},
    {"hikvision_a_deep_list",
     &hikvision,
     {OK("<CMSearchResult>" DEEP_XML)},
     "waiting protocol",
     "no result of a search"},
    {"hikvision_pages_without_end",
     &hikvision,
     {HIK("MORE", HIK_ITEM("rtsp://h/Streaming/tracks/101/?starttime=x"))},
     "waiting too_long",
     "ask for less"},
    {"hikvision_a_list_without_end",
     &hikvision,
     {ENDLESS("<CMSearchResult>", X8(X8(X8("<a/>\n"))))},
     "waiting too_large",
     "window_mb"},
    {"hikvision_a_list_by_trickle",
     &hikvision,
     {TRICKLE("<CMSearchResult>")},
     "waiting timeout",
     "in time"},
    {"hikvision_an_address_without_a_path",
     &hikvision,
     {HIK("OK", HIK_ITEM("file:"))},
     "waiting protocol",
     "no result of a search"},
    {"hikvision_another_host",
     &hikvision,
     {HIK("OK", HIK_ITEM("@ELSEWHERE@/Streaming/tracks/101/?starttime=x")),
      HIK("OK", HIK_ITEM("@ELSEWHERE@/Streaming/tracks/101/?starttime=x")), OK("not a film")},
     "waiting media",
     ""},
    {"hikvision_a_year_of_another_world",
     &hikvision,
     {OK("<CMSearchResult><matchList><searchMatchItem><startTime>99999-01-01T00:00:00Z</"
         "startTime></searchMatchItem></matchList></CMSearchResult>")},
     "waiting protocol",
     "tells a time"},
    {"hikvision_a_download_without_end",
     &hikvision,
     {HIK_LIST, HIK_LIST, ENDLESS("x", X8(X8(X8("1234567"))))},
     "failed too_large",
     "window_mb"},
    {"hikvision_a_download_by_trickle",
     &hikvision,
     {HIK_LIST, HIK_LIST, TRICKLE("x")},
     "waiting timeout",
     ""},
    /* Dahua */
    {"dahua_an_object_of_words",
     &dahua,
     {OK("result=7&action=x\r\n")},
     "waiting protocol",
     "no object"},
    {"dahua_fewer_than_none",
     &dahua,
     {DAHUA_OBJECT, OK("OK"), OK("found=-1\r\n")},
     "waiting protocol",
     "no list of recordings"},
    {"dahua_more_than_were_asked",
     &dahua,
     {DAHUA_OBJECT, OK("OK"), OK("found=4294967297\r\n")},
     "waiting protocol",
     "no list of recordings"},
    {"dahua_a_list_without_items",
     &dahua,
     {DAHUA_OBJECT, OK("OK"), OK("found=100\r\n")},
     "waiting protocol",
     "has no times"},
    {"dahua_a_list_without_end",
     &dahua,
     {DAHUA_OBJECT, OK("OK"), ENDLESS("found=1\r\n", X8(X8(X8("x=y\r\n"))))},
     "waiting too_large",
     "bytes allowed"},
    {"dahua_a_download_elsewhere",
     &dahua,
     {DAHUA_OBJECT, OK("OK"), DAHUA_LIST, OK("OK"), OK("OK"), AWAY("@ELSEWHERE@/x")},
     "waiting archive_refused",
     "not followed"},
    /* ONVIF */
    {"onvif_a_bomb", &onvif, {ONVIF_TIME, OK(BOMB)}, "waiting protocol", "list of services"},
    {"onvif_a_deep_answer",
     &onvif,
     {ONVIF_TIME, OK(DEEP_XML)},
     "waiting protocol",
     "list of services"},
    {"onvif_services_elsewhere",
     &onvif,
     {ONVIF_TIME, ONVIF_SERVICES, SOAP("<Fault/>")},
     "waiting protocol",
     "address that cannot be read"},
    {"onvif_an_answer_without_end",
     &onvif,
     {ONVIF_TIME, ENDLESS("<s:Envelope>", X8(X8(X8("<a></a>"))))},
     "waiting too_large",
     "window_mb"},
    {"onvif_an_answer_by_trickle",
     &onvif,
     {ONVIF_TIME, TRICKLE("<s:Envelope>")},
     "waiting timeout",
     "in time"},
    {"onvif_a_search_without_end",
     &onvif,
     {ONVIF_TIME, ONVIF_GOOD, ONVIF_RECORDING, ONVIF_TOKEN,
      SOAP("<SearchState>Searching</SearchState>")},
     "waiting too_long",
     "ask for less"},
    {"onvif_a_replay_at_another_host",
     &onvif,
     {ONVIF_TIME, ONVIF_GOOD, ONVIF_LOOK, ONVIF_LOOK,
      SOAP("<Uri>rtsp://anna:" PASSWORD "@192.0.2.1:9/x</Uri>")},
     "waiting transient",
     "127.0.0.1:9"},
    {"onvif_a_replay_of_a_file",
     &onvif,
     {ONVIF_TIME, ONVIF_GOOD, ONVIF_LOOK, ONVIF_LOOK, SOAP("<Uri>file:///etc/passwd</Uri>")},
     "failed unsupported",
     "through file only"},
    {"onvif_a_fault_of_words",
     &onvif,
     {ONVIF_TIME,
      SOAP("<Fault><Code><Value>x</Value></Code><Reason><Text>&#27;[2J</Text></Reason></Fault>")},
     "waiting archive_refused",
     "\\x1b"},
    /* a profile of one's own, with the password in its paths */
    {"profile_a_path_with_the_password",
     &profile,
     {FAULT_STATUS("418 Teapot")},
     "waiting archive_refused",
     "/key-***/list"},
    {"profile_sends_the_path_away",
     &profile,
     {AWAY("@ELSEWHERE@/key-s3cret%20Pass/list")},
     "waiting archive_refused",
     "/key-***/list; redirects"},
    {"profile_an_export_of_words",
     &profile,
     {OK("[{\"start\":1773126000,\"length\":300}]"), OK("[{\"start\":1773126000,\"length\":300}]"),
      FAULT_STATUS("403 Forbidden")},
     "waiting archive_auth",
     "/clip/***/till: access is forbidden"},
    /* S3 */
    {"s3_a_bomb", &s3, {OK(BOMB)}, "waiting protocol", "no list of objects"},
    {"s3_a_list_without_end",
     &s3,
     {ENDLESS("<ListBucketResult>", X8(X8(X8("<a/>\n"))))},
     "waiting too_large",
     "window_mb"},
    {"s3_pages_that_begin_anew",
     &s3,
     {S3_LIST("<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>")},
     "waiting protocol",
     "begins anew"},
    {"s3_keys_elsewhere",
     &s3,
     {S3_LIST("<Contents><Key>cam1/2026-03-10/../../x.mp4</Key><Size>-5</Size></Contents>")},
     "waiting no_coverage",
     ""},
    {"s3_a_wrong_secret",
     &s3,
     {S3_SAYS("403 Forbidden",
              "<Code>SignatureDoesNotMatch</Code><StringToSign>s3cret</StringToSign>")},
     "waiting archive_auth",
     "the secret is not that of the access key"},
    {"s3_an_unknown_key",
     &s3,
     {S3_SAYS("403 Forbidden", "<Code>InvalidAccessKeyId</Code>")},
     "waiting archive_auth",
     "does not know the access key"},
    {"s3_a_right_that_is_missing",
     &s3,
     {S3_SAYS("403 Forbidden", "<Code>AccessDenied</Code>")},
     "waiting archive_auth",
     "s3:ListBucket"},
    {"s3_a_clock_that_is_off",
     &s3,
     {S3_SAYS("403 Forbidden",
              "<Code>RequestTimeTooSkewed</Code><ServerTime>2031-01-01T00:00:00Z</ServerTime>")},
     "waiting archive_refused",
     "the store says 2031-01-01T00:00:00Z; set the wrong one"},
    {"s3_no_such_bucket",
     &s3,
     {S3_SAYS("404 Not Found", "<Code>NoSuchBucket</Code>")},
     "waiting archive_refused",
     "no such bucket: check url"},
    {"s3_another_region",
     &s3,
     {S3_SAYS("400 Bad Request",
              "<Code>AuthorizationHeaderMalformed</Code><Region>eu-west-3</Region>")},
     "waiting archive_refused",
     "region=eu-west-3"},
    {"s3_another_endpoint",
     &s3,
     {S3_SAYS(
         "301 Moved",
         "<Code>PermanentRedirect</Code><Endpoint>bucket.s3.eu-west-3.amazonaws.com</Endpoint>")},
     "waiting archive_refused",
     "leads to bucket.s3.eu-west-3.amazonaws.com"},
    {"s3_words_that_are_none",
     &s3,
     {S3_SAYS("403 Forbidden", "<Code>Why</Code><Region>&#27;[2J s3cret</Region>")},
     "waiting archive_auth",
     "access is forbidden (403)"},
    {"s3_a_refusal_that_is_a_bomb",
     &s3,
     {{.kind = FAULT_REPLY, .text = "HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n" BOMB}},
     "waiting archive_auth",
     "access is forbidden (403)"},
    {"s3_sends_away", &s3, {AWAY("@ELSEWHERE@/x")}, "waiting archive_refused", ""},
};

/* --- running one ------------------------------------------------------------------------------ */

struct hostile {
    struct shop *shop;
    int count;
};

static struct hostile *shared; /* by all rows */

static int group_start(void **state)
{
    static struct hostile hostile;
    char path[300];
    int rc = fixture_begin(state);
    hostile = (struct hostile){.shop = shop_new(NULL)};
    put(hostile.shop, "DELETE FROM placements WHERE camera = 'cam2'");
    support_text(hostile.shop->db->dir, "secrets/nvr", PASSWORD "\n");
    (void)snprintf(path, sizeof(path), "%s/secrets/nvr", hostile.shop->db->dir);
    assert_int_equal(chmod(path, 0600), 0);
    support_text(hostile.shop->db->dir, "own.json", own);
    hostile.shop->conf.fetch.deadline_s = DEADLINE_S;
    hostile.shop->conf.fetch.window_mb = 2;
    shared = &hostile;
    return rc;
}

static int group_end(void **state)
{
    shop_free(shared->shop);
    return fixture_end(state);
}

/* The answers with the other address in them. */
static void answers_make(const struct row *row, const char *elsewhere,
                         struct fault answers[ANSWERS], size_t *ret_count)
{
    size_t count = 0;
    for (; count < ANSWERS && row->answers[count].text; count++) {
        struct okno_buf text = OKNO_BUF_INIT(1024 * 1024);
        const char *at = row->answers[count].text;
        for (const char *mark; (mark = strstr(at, "@ELSEWHERE@"));
             at = mark + strlen("@ELSEWHERE@")) {
            assert_int_equal(okno_buf_add(&text, at, (size_t)(mark - at), NULL), 0);
            assert_int_equal(okno_buf_add_text(&text, elsewhere, NULL), 0);
        }
        assert_int_equal(okno_buf_add_text(&text, at, NULL), 0);
        answers[count] = row->answers[count];
        answers[count].text = strdup(okno_buf_text(&text));
        okno_buf_free(&text);
    }
    *ret_count = count;
}

/* An archive and a survey of its own. */
static void describe(struct hostile *h, const struct row *row, const char *url)
{
    char survey[32], options[200];
    char path[300];
    bool bucket = row->kind == &s3;
    (void)snprintf(path, sizeof(path), "%s/own.json", h->shop->db->dir);
    h->count++;
    (void)snprintf(options, sizeof(options), "%s%s", row->kind->options, bucket ? url : "");
    put(h->shop,
        "DELETE FROM jobs; DELETE FROM links; DELETE FROM surveys;"
        "UPDATE archives SET archive = 'nvr%d', kind = '%s', url = '%s', files = '%s', user = "
        "'anna',"
        " secret = 'nvr', options = '%s'; UPDATE cameras SET archive = 'nvr%d', channel = '%s'",
        h->count, row->kind->kind, bucket ? "s3://bucket" : url,
        bucket                  ? "{channel}/%Y-%m-%d/%H-%M-%S.mp4"
        : row->kind == &profile ? path
                                : "",
        options, h->count, row->kind->channel);
    (void)snprintf(survey, sizeof(survey), "d.0.%d", h->count);
    put_survey(h->shop, survey, 100, "yes");
    open_work(h->shop);
    assert_int_equal(plan_jobs(h->shop, AT(3600)), 1);
}

static void check_message(const struct row *row, const char *message)
{
    static const char *const never[] = {PASSWORD, ENCODED, "s3cret", "\x1b", "/tmp/"};
    for (size_t i = 0; i < OKNO_COUNT(never); i++)
        if (strstr(message, never[i]))
            fail_msg("%s: %s", row->name, message);
}

static void a_row(void **state)
{
    const struct row *row = *state;
    struct hostile *h = shared;
    struct fault answers[ANSWERS] = {0};
    static const struct fault deaf[] = {FAULT_STATUS("200 OK")};
    size_t count = 0;
    struct fault_server *other = fault_server_start(deaf, 1);
    answers_make(row, fault_server_url(other), answers, &count);
    struct fault_server *server = fault_server_start(answers, count);
    describe(h, row, fault_server_url(server));
    int64_t began_us = okno_time_monotonic();
    assert_in_range(run_due(h->shop, AT(3600)), 1, 2);
    if (okno_time_monotonic() - began_us > 2 * 10 * DEADLINE_S * OKNO_SECOND_US)
        fail_msg("%s: took too long", row->name);
    static const char newest[] =
        " FROM jobs WHERE state <> 'done' OR code <> '' ORDER BY job DESC LIMIT 1";
    char sql[200];
    (void)snprintf(sql, sizeof(sql), "SELECT state || ' ' || code%s", newest);
    const char *job = text_of(h->shop, sql);
    (void)snprintf(sql, sizeof(sql), "SELECT message%s", newest);
    const char *message = text_of(h->shop, sql);
    if (strcmp(job, row->job) != 0 || !strstr(message, row->says))
        fail_msg("%s: job %s: %s", row->name, job, message);
    check_message(row, message);
    assert_int_equal(int_of(h->shop, "SELECT count(*) FROM jobs WHERE owner IS NOT NULL"), 0);
    assert_int_equal(files_in(h->shop, "evidence/tmp"), 0);
    (void)snprintf(sql, sizeof(sql), "SELECT next_try_at%s", newest);
    if (strncmp(job, "waiting", 7) == 0 && int_of(h->shop, sql) < AT(3600) + 15 * OKNO_SECOND_US)
        fail_msg("%s: asked again too soon", row->name);
    assert_int_equal(fault_server_requests(other), 0);
    assert_true(fault_server_requests(server) > 0);
    fault_server_stop(server);
    fault_server_stop(other);
    for (size_t i = 0; i < count; i++)
        free((char *)answers[i].text);
}

int main(void)
{
    struct CMUnitTest tests[OKNO_COUNT(rows)];
    for (size_t i = 0; i < OKNO_COUNT(rows); i++)
        tests[i] = (struct CMUnitTest){
            .name = rows[i].name, .test_func = a_row, .initial_state = (void *)&rows[i]};
    return cmocka_run_group_tests(tests, group_start, group_end);
}
