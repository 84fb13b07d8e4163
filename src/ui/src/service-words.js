// Sentences of the service that pages show as they came (why a message waits or is dead), in Russian. {} stands
// for what varies; a sentence that is not here is shown as it is.
import { language } from "./i18n.js";

export const sentences = [
  ["beacon of the day {}", "маяк дня {}"],
  ["beacon, round {}: the first after the checkpoint", "маяк, раунд {}: первый после контрольной точки"],
  ["SHA-256 of the secrets that the witnesses bound themselves to before the checkpoint, each with a line end",
    "SHA-256 секретов, которые свидетели обещали до контрольной точки, каждый с концом строки"],
  ["a programme's day: caught up with late", "день программы, начат позже срока"],
  ["given up: {}", "попытки прекращены: {}"],
  ["redirected ({}); redirects are not followed, correct the address", "перенаправление ({}); за ним не следуют, исправьте адрес"],
  ["the receiver refuses ({}): check address and secret", "получатель отказывает ({}): проверьте адрес и секрет"],
  ["the receiver asks to come later ({})", "получатель просит прийти позже ({})"],
  ["the receiver takes no such message ({})", "получатель не принимает такое сообщение ({})"],
  ["the receiver is in trouble ({})", "у получателя сбой ({})"],
  ["the answer is none of Telegram's", "ответ не от Telegram"],
  ["there is no such destination: import it", "такого получателя нет: импортируйте его"],
  ["told in the digest {}", "вошло в сводку {}"],
  ["its address is private, and those are not allowed (notify.private_addresses)", "его адрес частный, а такие не разрешены (notify.private_addresses)"],
  ["the answer's header is too long", "слишком длинный заголовок ответа"],
  ["no answer in time", "нет ответа вовремя"],
  ["its certificate is not trusted", "его сертификату нет доверия"],
  ["closed without an answer", "соединение закрыто без ответа"],
  ["the answer is not HTTP", "ответ — не HTTP"],
  ["the photo's file cannot be read", "файл фотографии не читается"],
  ["notify.telegram_url of the configuration is empty", "в настройках пуст notify.telegram_url"],
  ["secret {} is no token of a bot", "секрет {} — не токен бота"],
  ["secret {} is not set: give it with `okno secret set {}`", "секрет {} не задан: задайте его командой `okno secret set {}`"],
  ["secret {}: cannot open {}: {}", "секрет {}: не открывается {}: {}"],
  ["secret {}: its file may be read by others: chmod 600 it", "секрет {}: его файл могут читать другие, нужно chmod 600"],
  ["secret {} is empty or holds a NUL byte", "секрет {} пуст или содержит нулевой байт"],
  ["the mail server turns us away ({})", "почтовый сервер отказывает в приёме ({})"],
  ["the mail server refuses the login ({}): check user and secret", "почтовый сервер не принимает вход ({}): проверьте user и секрет"],
  ["the mail server asks to come later ({})", "почтовый сервер просит прийти позже ({})"],
  ["the mail server takes no such message ({})", "почтовый сервер не принимает такое письмо ({})"],
  ["it offers no TLS, and without nothing is sent there", "он не предлагает TLS, а без него ничего не отправляется"],
  ["cut off before the message was taken", "соединение оборвалось до приёма письма"],
  ["the answer is not SMTP", "ответ — не SMTP"],
  ["it takes no login of a kind that is known here", "он не принимает вход ни одним известным здесь способом"],
  ["where: there is no {} \"{}\"", "где: нет такого места — «{1}»"],
  ["to: there is no destination \"{}\" (import it first)", "сообщает: получателя «{}» нет (сначала импортируйте его)"],
  ["to: ids of destinations with one space between are allowed", "сообщает: нужны имена получателей через один пробел"],
  ["an archive belongs to no place: where must be all", "у архива нет места: нужно «везде» (all)"],
  ["a share of a whole site is never one of a point: say per point, or where site:ID", "доля площадки не бывает долей точки: считайте на точку или укажите site:ID"],
  ["{} is an administrator, too (by another login of the same employee): the steps of an audit are another person's. Where there is only one, plan with --accept-one-person REASON (accept_one_person), which the report shows",
    "{} — ещё и администратор (под другой учётной записью того же сотрудника): шаги аудита делает другой человек. Если другого нет, объявите это в плане с причиной: она будет в отчёте"],
  ["{} is an auditor and no administrator: the steps can be taken by that login", "{} — аудитор и не администратор: шаги можно сделать под этой учётной записью"],
  ["{} silent surveys of the period of audit {} may be panels that were not heard of since (`okno survey list --flag panel_unheard`): wait for them, or accept it with --accept-unheard REASON",
    "молчащих опросов, чьи панели с тех пор не выходили на связь: {0}. Дождитесь панелей или напишите, почему это не важно"],
  ["{} events of the period of audit {} never came, of {}{} (`okno device list`): have them sent, or accept it with --accept-unheard REASON",
    "событий периода не дошло: {0}, от устройств {2}. Пусть устройства их дошлют, или напишите, почему это не важно"],
  ["the force majeure level of the period of audit {} is {}, above {}: its indicators are not advisable; accept it with --accept-fm REASON",
    "уровень форс-мажора за период — {1}, выше предела {2}: показателями пользоваться не рекомендуется. Напишите, почему они всё же нужны"],
  ["audit {} has {} {} without a decision: decide first (`okno review next`)", "без решения осталось опросов: {1}. Сначала их проверяют эксперты"],
  ["camera {} keeps {} days: what it recorded at the start of the period is overwritten at {}, and the draw comes at {} at the earliest (a day before is asked for): plan a later start or a shorter period, or accept the loss with --accept-retention REASON",
    "камера {0} хранит записи {1} дн.: начало периода сотрётся {2}, а жеребьёвка будет не раньше {3} (нужен запас в день). Начните период позже, сделайте короче или напишите ниже, почему потеря приемлема"],
  ["opinion: the gates of this audit allow {} at best, not {} (see the limits in the report)", "этот аудит допускает в лучшем случае заключение «{0}», а не «{1}» (см. ограничения в отчёте)"],
  ["another export of audit {} is under way: again when it is done", "пакет этого аудита сейчас готовит кто-то ещё: повторите, когда закончит"],
  ["audit {} went on while its bundle was written: export it again", "пока готовился пакет, в аудите сделали ещё шаг: повторите"],
  ["the key {} is {}'s already", "этот ключ уже зарегистрирован, владелец: {1}"],
  ["the key {} was revoked: whoever has it is no longer known; make a new one", "этот ключ отозван: создайте новый"],
  ["a key of kind {} is not taken: make one with `ssh-keygen -t ed25519`", "ключи вида {0} не принимаются: создайте командой ssh-keygen -t ed25519"],
  ["this is no public key: a minisign.pub file or a line `ssh-ed25519 BASE64` is", "это не открытый ключ: нужен файл minisign.pub или строка ssh-ed25519"],
  ["the signature is not the key's over this text: another text was signed", "подпись не под этим текстом: подписано что-то другое"],
  ["the signature is by {}, the registered key is {}", "подписано другим ключом, не тем, что в плане"],
  ["the signature is by minisign key {}, the registered key is {}", "подписано другим ключом minisign ({0}), в плане {1}"],
  ["waits for everybody named to commit to a secret: `okno programme commit {} --day {}`", "ждёт обязательств всех названных: okno programme commit {} --day {}"],
  ["waits for {} to reveal the secret: `okno programme reveal {} --day {}`", "ждёт, когда {} раскроет секрет: okno programme reveal {} --day {}"],
  ["the beacon tells round {}, not {}", "источник зерна называет раунд {}, а нужен {}"],
  ["the beacon's JSON has no text `randomness`", "в JSON источника зерна нет строки randomness"],
  ["the beacon gives no single line of {} to {} characters", "источник зерна даёт не одну строку длиной от {} до {} знаков"],
  ["archive kind \"{}\" is not supported; supported are: {}", "вид архива «{}» не поддерживается; есть: {}"],
  ["\"{}\": a channel's number, 1 for the first camera", "«{}»: нужен номер канала, 1 — первая камера"],
  ["\"{}\": a track's number, 101 for the first camera", "«{}»: нужен номер дорожки, 101 — первая камера"],
  ["\"{}\" is no recording there (its token is wanted); there are: {}", "записи «{}» там нет (нужен её токен); есть: {}"],
  ["layout={}: allowed are mediamtx, frigate, motion, shinobi and segment", "layout={}: можно mediamtx, frigate, motion, shinobi и segment"],
  ["the file name template must end in .mp4, .mov, .m4s, .mkv, .ts, .avi or .mpg, not \"{}\"", "шаблон имени файла кончается на .mp4, .mov, .m4s, .mkv, .ts, .avi или .mpg, а не «{}»"],
  ["\"{}\" without {channel} holds one channel, and camera {} has \"{}\": put {channel} into the archive's names, or give each camera an archive",
    "«{}» без {channel} — это один канал, а у камеры {} канал «{}»: впишите {channel} в имена файлов архива или заведите архив на каждую камеру"],
  ["{} is still being recorded and cannot be read before it has ended", "{} ещё пишется; прочитать её можно, когда запись закончится"],
  ["folder \"{}\" holds {} files, but none is named as by {}: one is {}", "в папке «{}» файлов: {}, но ни один не назван по шаблону {}; один из них — {}"],
  ["there are no files in folder \"{}\" and {} more that were looked into", "нет файлов в папке «{}»; в скольких ещё смотрели: {}"],
  ["there are no files in folder \"{}\"", "в папке «{}» файлов нет"],
  ["rtsp_port={}: a number from 1 to 65535", "rtsp_port={}: нужно число от 1 до 65535"],
  ["{}={}: a whole number from 1 to {}", "{}={}: нужно целое число от 1 до {}"],
  ["tls={}: allowed are verify and insecure", "tls={}: можно verify и insecure"],
  ["hours={}: write 20:00-08:00", "hours={}: пишите 20:00-08:00"],
  ["\"{}\" has no value; write name=value, separated by blanks", "у «{}» нет значения; пишите имя=значение через пробел"],
  ["there is no option \"{}\" for this kind; there are: {}", "у этого вида нет настройки «{}»; есть: {}"],
  ["\"{}\" is given twice", "«{}» указано дважды"],
  ["clock={}: allowed are http, sntp, onvif and none", "clock={}: можно http, sntp, onvif и none"],
  ["there is no profile \"{}\"", "нет профиля «{}»"],
  ["{}: cannot be read; this kind wants the path of a profile there, of at most {} bytes", "{}: не читается; для этого вида нужен путь к профилю, не больше {} байт"],
  ["RTSP inside TLS (rtsps) or HTTP is not spoken: write rtsp://HOST:PORT, if need be of a tunnel on this machine",
    "RTSP внутри TLS (rtsps) или HTTP не поддержан: пишите rtsp://УЗЕЛ:ПОРТ, если нужно — туннеля на этой машине"],
  ["this is no signature of minisign or OpenSSH", "это не подпись minisign или OpenSSH"],
];

const plain = (text) => text.replace(/[.*+?^$()|[\]\\]/g, "\\$&");
const patterns = sentences.map(([from, to]) => [new RegExp(`^${plain(from).replaceAll("{}", "(.*)")}$`, "s"), to]);

/** Whether the page knows what is meant, so that it can be shown as it came. */
export const isKnown = (text) => Boolean(text) && patterns.some(([pattern]) => pattern.test(text));

/** The sentence in the page's language. */
export function translated(text) {
  if (language() !== "ru" || !text) return text;
  for (const [pattern, to] of patterns) {
    const found = pattern.exec(text);
    if (!found) continue;
    let next = 1;
    return to.replace(/\{(\d*)\}/g, (whole, place) => translated(found[place === "" ? next++ : Number(place) + 1]));
  }
  return text;
}
