// Words of the kiosk page, English and Russian side by side; {name} is filled in.

export const words = {
  "answer.yes": { en: "Yes", ru: "Да" },
  "answer.no": { en: "No", ru: "Нет" },
  "answer.unsure": { en: "Hard to say", ru: "Затрудняюсь ответить" },
  "question.none": { en: "Were you pleased with the service?", ru: "Вы довольны обслуживанием?" },
  "thanks": { en: "Thank you!", ru: "Спасибо!" },
  "thanks.more": { en: "Your answer counts.", ru: "Ваш ответ учтён." },
  "now": { en: "Please answer now", ru: "Пожалуйста, ответьте" },

  "seller.press": { en: "Ask the customer", ru: "Спросить клиента" },
  "seller.how": { en: "Short press: survey. Hold for a second: force majeure.", ru: "Коротко — опрос. Держать секунду — форс-мажор." },
  "seller.holding": { en: "Release: force majeure", ru: "Отпустите: форс-мажор" },
  "seller.opened": { en: "Survey open, {n} s left", ru: "Опрос открыт, осталось {n} с" },
  "seller.answered": { en: "The customer has answered", ru: "Клиент ответил" },
  "seller.fm": { en: "Force majeure is reported", ru: "Форс-мажор отмечен" },

  "pair.title": { en: "Make this screen a panel", ru: "Сделать этот экран панелью" },
  "pair.how": {
    en: "Scan the QR code that a manager shows, or type the code here.",
    ru: "Наведите камеру на QR-код от руководителя или введите код здесь.",
  },
  "pair.code": { en: "Code", ru: "Код" },
  "pair.go": { en: "Connect", ru: "Подключить" },
  "pair.wrong": { en: "This code is not known, was used, or is too old. Ask for a new one.", ru: "Код неизвестен, уже использован или устарел. Попросите новый." },
  "pair.form": { en: "A code has 12 letters and digits.", ru: "В коде 12 букв и цифр." },
  "pair.slow": { en: "Too many wrong codes. Wait a minute.", ru: "Слишком много неверных кодов. Подождите минуту." },
  "pair.offline": { en: "The service cannot be reached. Check the connection.", ru: "Служба недоступна. Проверьте соединение." },
  "pair.revoked": {
    en: "This panel was disconnected by a manager. What it holds ({n}) is kept and leaves once it is connected again.",
    ru: "Панель отключил руководитель. Сохранённое ({n}) не потеряно и уйдёт после нового подключения.",
  },

  "status.online": { en: "connected", ru: "на связи" },
  "status.offline": { en: "no connection", ru: "нет связи" },
  "status.memory": { en: "not kept over a reload", ru: "не переживёт перезагрузку" },
  "status.queued": { en: "queued {n}", ru: "в очереди {n}" },
  "status.sent": { en: "sent {when}", ru: "отправлено {when}" },
  "status.never": { en: "nothing sent yet", ru: "ещё не отправлялось" },
  "status.clock": { en: "clock {seconds} s", ru: "часы {seconds} с" },
  "status.refused": { en: "refused {n}", ru: "отклонено {n}" },
  "status.sound": { en: "sound is blocked: touch the screen once", ru: "звук заблокирован: коснитесь экрана" },
  "status.test": { en: "TEST", ru: "ТЕСТ" },
  "status.hint": { en: "Hold for details", ru: "Держите, чтобы узнать больше" },

  "about.device": { en: "Device", ru: "Устройство" },
  "about.point": { en: "Point", ru: "Точка" },
  "about.number": { en: "Start and number", ru: "Запуск и номер" },
  "about.storage": { en: "Answers are kept", ru: "Ответы хранятся" },
  "about.disk": { en: "on this device until sent", ru: "на устройстве до отправки" },
  "about.memory": { en: "only while this page is open", ru: "только пока открыта страница" },
  "about.offline": { en: "Starts without the service", ru: "Запускается без службы" },
  "about.yes": { en: "yes", ru: "да" },
  "about.no": { en: "no: needs https", ru: "нет: нужен https" },
  "about.awake": { en: "Keeps the screen on", ru: "Не гасит экран" },
  "about.awake_no": { en: "no: set it in the device's settings", ru: "нет: задайте в настройках устройства" },
  "about.listening": { en: "Hears the seller's button", ru: "Слышит кнопку продавца" },
  "about.stream": { en: "at once", ru: "сразу" },
  "about.poll": { en: "every 2 s", ru: "каждые 2 с" },
  "about.deaf": { en: "not now", ru: "сейчас нет" },
  "about.full": { en: "Full screen", ru: "Во весь экран" },
  "about.close": { en: "Close", ru: "Закрыть" },
};

export const say = (language, key, values = {}) =>
  (words[key]?.[language] ?? words[key]?.en ?? key).replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
