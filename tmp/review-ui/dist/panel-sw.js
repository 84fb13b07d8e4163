// Keeps the panel's own files, so that it starts when the service is gone. The network comes first: a
// new version shows at the next start with a connection.
const cacheName = "okno-panel";
const files = ["/panel", "/panel.js", "/panel.css", "/panel.webmanifest", "/favicon.svg"];
const patienceMs = 4000;

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(caches.open(cacheName).then((cache) => cache.addAll(files)));
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

const late = () => new Promise((resolve, reject) => { setTimeout(() => reject(new Error("late")), patienceMs); });

async function answer(request, key) {
  const cache = await caches.open(cacheName);
  try {
    const fresh = await Promise.race([fetch(request), late()]);
    if (fresh.ok) await cache.put(key, fresh.clone());
    return fresh.ok ? fresh : (await cache.match(key)) ?? fresh;
  } catch (error) {
    const kept = await cache.match(key);
    if (!kept) throw error;
    return kept;
  }
}

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  const key = url.pathname === "/panel.html" ? "/panel" : url.pathname;
  if (files.includes(key)) event.respondWith(answer(event.request, key));
});
