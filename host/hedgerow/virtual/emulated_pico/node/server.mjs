// Runs one Board beside the clock on the wall and joins it to a pseudo-terminal, a flash file and its supervisor.
// Knows files, descriptors and wall time. Refuses to know the chip (see board.mjs).
//
// node server.mjs '{"console_fd", "control_fd", "uart_fds", "flash", "bootrom", "uid", "speed", "flash_timing"}'
// Control: JSON lines. In: {"id", "do", ...}. Out: {"id", ...} answers one; {"event", ...} comes unasked.
import fs from 'node:fs';
import net from 'node:net';
import tty from 'node:tty';
import { Board } from './board.mjs';

const MS_IN_NS = 1e6;
const SLICE_MS = 4; // wall time between looks at the ports
const IDLE_LOOK_MS = 20;
const BEHIND_NS = 50 * MS_IN_NS; // a chip further behind the wall than this stops trying to catch up
const OUTPUT_LIMIT_BYTES = 4096;
const CLOSED_AFTER_MS = 1000; // a port that nobody reads for so long counts as closed

const options = JSON.parse(process.argv[2]);
const startedMs = performance.now();
const flashFile = fs.openSync(options.flash, 'r+');
const control = new net.Socket({ fd: options.control_fd, readable: true, writable: true });
let watched = null;

/** One pseudo-terminal: what the board says waits here until the other side reads. */
class Port {
  constructor(fd, onInput) {
    this.fd = fd;
    this.waiting = Buffer.alloc(0);
    this.stuckSinceMs = null;
    this.input = new tty.ReadStream(fd);
    this.input.on('data', onInput);
    this.input.on('error', () => process.exit(0)); // our supervisor and its terminal are gone
  }

  get hasRoom() { return this.waiting.length < OUTPUT_LIMIT_BYTES; }

  write(bytes) {
    this.waiting = Buffer.concat([this.waiting, bytes]);
    this.flush();
  }

  /** Never blocks: whatever does not fit waits, and what nobody reads is thrown away, as by a closed port. */
  flush() {
    while (this.waiting.length) {
      let written = 0;
      try {
        written = fs.writeSync(this.fd, this.waiting);
      } catch (error) {
        if (error.code !== 'EAGAIN') throw error;
      }
      if (!written) break;
      this.stuckSinceMs = null;
      this.waiting = this.waiting.subarray(written);
    }
    if (!this.waiting.length) return;
    this.stuckSinceMs ??= performance.now();
    if (performance.now() - this.stuckSinceMs > CLOSED_AFTER_MS) this.waiting = Buffer.alloc(0);
  }
}

const say = (message) => control.write(JSON.stringify(message) + '\n');
const chipMs = () => board.chipNs / MS_IN_NS;

const board = new Board({
  image: new Uint8Array(fs.readFileSync(options.flash)),
  bootrom: new Uint32Array(new Uint8Array(fs.readFileSync(options.bootrom)).buffer),
  uid: Buffer.from(options.uid, 'hex'),
  flashTiming: options.flash_timing,
  mayOffer: () => consolePort.hasRoom,
  events: {
    onConsole: (bytes) => { consolePort.write(Buffer.from(bytes)); watch(bytes); },
    onUart: (index, byte) => uartPorts[index]?.write(Buffer.of(byte)),
    onReset: (reason) => say({ event: 'reset', reason, chip_ms: chipMs() }),
    onUsb: () => say({ event: 'usb', chip_ms: chipMs() }),
    onFlashChange: (offset, bytes) => fs.writeSync(flashFile, bytes, 0, bytes.length, offset),
    onPowerCut: () => process.exit(0),
  },
});
const consolePort = new Port(options.console_fd, (bytes) => { board.usb.send(bytes); wake(); });
const uartPorts = options.uart_fds.map((fd, index) => new Port(fd, (bytes) => {
  board.uarts[index].deliver(bytes);
  wake();
}));

/** Tell at what chip time the board first says a text that somebody waits for. */
function watch(bytes) {
  if (!watched) return;
  watched.seen = (watched.seen + Buffer.from(bytes).toString('latin1')).slice(-4096);
  if (!watched.seen.includes(watched.text)) return;
  say({ id: watched.id, chip_ms: chipMs(), since_reset_ms: board.sinceResetNs / MS_IN_NS });
  watched = null;
}

const commands = {
  status: () => ({
    chip_ms: chipMs(), since_reset_ms: board.sinceResetNs / MS_IN_NS, wall_ms: performance.now() - startedMs,
    resets: board.resets, flash: board.flashStats, uart_lost: board.uarts.map((uart) => uart.lost),
  }),
  cut: ({ operations, torn }) => { board.flash.cutAfter(operations, torn); return {}; },
  reset: () => { board.pressReset(); return {}; },
  pin: ({ pin, level }) => {
    if (level !== undefined) board.drivePin(pin, level);
    return { state: board.chip.gpio[pin].value };
  },
  adc: ({ channel, value }) => { board.setAdc(channel, value); return {}; },
  speed: ({ speed }) => { options.speed = speed; keepPace(); return {}; },
  watch: ({ id, text }) => { watched = { id, text, seen: '' }; return null; },
};

let unfinished = '';
control.on('data', (data) => {
  unfinished += data;
  for (let end; (end = unfinished.indexOf('\n')) >= 0; unfinished = unfinished.slice(end + 1)) {
    const request = JSON.parse(unfinished.slice(0, end));
    const answer = commands[request.do](request);
    if (answer) say({ id: request.id, ...answer });
  }
  wake();
});
control.on('end', () => process.exit(0));
control.on('error', () => process.exit(0));

/* Pace: so many chip seconds a wall second (0: as fast as it goes); a chip that cannot keep up falls behind. */
let paceWallMs, paceChipNs, timer = null;

function keepPace() {
  paceWallMs = performance.now();
  paceChipNs = board.chipNs;
}

function turn() {
  timer = null;
  const { speed } = options;
  const target = speed ? paceChipNs + (performance.now() - paceWallMs) * MS_IN_NS * speed : board.chipNs + 1e9;
  board.runUntil(target, SLICE_MS);
  for (const port of [consolePort, ...uartPorts]) port.flush();
  if (consolePort.hasRoom) board.usb.roomAgain();
  if (board.chipNs < target - 1) {
    if (speed && target - board.chipNs > BEHIND_NS) keepPace();
    setImmediate(turn);
    return;
  }
  timer = setTimeout(turn, untilNextLookMs(speed));
}

function untilNextLookMs(speed) {
  if (!speed || !board.asleep) return 1;
  const next = board.nextEventNs;
  const waitMs = next === null ? IDLE_LOOK_MS : next / MS_IN_NS / speed;
  return Math.min(Math.max(1, waitMs), consolePort.waiting.length ? 1 : IDLE_LOOK_MS);
}

function wake() {
  if (timer === null) return; // a turn is on its way
  clearTimeout(timer);
  turn();
}

keepPace();
turn();
