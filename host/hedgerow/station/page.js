// Keeps the page as the station is: cards arrive as HTML and replace the old ones. What somebody has opened stays open,
// where the keyboard is it stays. Without this file the page reloads itself.
"use strict";
const places = document.getElementById("places");
const sound = document.getElementById("sound");
const say = document.getElementById("say");
let audio;

function show(change) {
  const made = document.createElement("template");
  made.innerHTML = change.html;
  const fresh = made.content.firstElementChild;
  const old = document.getElementById(change.id);
  const active = document.activeElement;
  const wasHere = old && old.contains(active);
  const key = wasHere && active !== old && (active.dataset.key || active.parentElement.dataset.key); // of a summary: details
  for (const open of old ? old.querySelectorAll("details[open]") : []) {
    const same = fresh.querySelector(`[data-key="${open.dataset.key}"]`);
    if (same) same.open = true;
  }
  if (old) old.replaceWith(fresh); else places.append(fresh);
  if (wasHere) {
    const same = key && fresh.querySelector(`[data-key="${key}"]`);
    const target = same && same.tagName === "DETAILS" ? same.firstElementChild : same || fresh;
    if (target === fresh) fresh.tabIndex = -1;
    target.focus();
  }
  document.getElementById("none").hidden = true;
  document.getElementById("tally").textContent = change.tally;
  document.getElementById("sheet").hidden = !change.labels;
  const failed = document.querySelectorAll(".card.fail").length;
  document.title = (failed ? `${failed} FAIL: ` : "") + document.querySelector("h1").textContent;
  if (change.say) {
    say.textContent = change.say;
    ring(change.phase === "PASS" ? [880] : [330, 330]);
  }
}

function ring(tones) {
  if (!sound.checked) return;
  audio = audio || new AudioContext();
  tones.forEach((hertz, at) => {
    const tone = audio.createOscillator();
    tone.frequency.value = hertz;
    tone.connect(audio.destination);
    tone.start(audio.currentTime + at * 0.3);
    tone.stop(audio.currentTime + at * 0.3 + 0.2);
  });
}

// A form without leaving the page; the card says what came of it.
document.addEventListener("submit", (event) => {
  event.preventDefault();
  fetch(event.target.action, { method: "POST", body: new URLSearchParams(new FormData(event.target)), redirect: "manual" });
});

const events = new EventSource("/events");
events.addEventListener("card", (event) => show(JSON.parse(event.data)));
events.onopen = () => { document.getElementById("gone").hidden = true; };
events.onerror = () => { document.getElementById("gone").hidden = false; };
