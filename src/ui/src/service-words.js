// Sentences of the service that pages show as they came (why a message waits or is dead), in Russian. {} stands
// for what varies; a sentence that is not here is shown as it is.
import { language } from "./i18n.js";

export const sentences = [
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
];

const plain = (text) => text.replace(/[.*+?^$()|[\]\\]/g, "\\$&");
const patterns = sentences.map(([from, to]) => [new RegExp(`^${plain(from).replaceAll("{}", "(.*)")}$`, "s"), to]);

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
