// One emulated Pico: an rp2040js chip with a flash chip, UARTs, a USB host and resets as on the real board.
// Knows chip time and wiring. Refuses to know the machine it runs on: no files, ports or wall clock but a budget.
import { ConsoleLogger, LogLevel, RP2040 } from 'rp2040js';
import { shortenMemoryAccess } from './memory.mjs';
import { SpiNor } from './spi_nor.mjs';
import { QspiPins, Registers, Ssi } from './ssi.mjs';
import { Uart } from './uart.mjs';
import { CdcHost } from './usb_cdc.mjs';

const FLASH_START = 0x10000000;
const CYCLE_NS = 1e9 / 125e6;
const SSI = 0x18000, PSM = 0x40010, IO_QSPI = 0x40018, UART0 = 0x40034, UART1 = 0x40038, WATCHDOG = 0x40058,
  ROSC = 0x40060, VREG_AND_CHIP_RESET = 0x40064;
const UART_INTERRUPTS = [20, 21];
const PIN_HIGH = 1, PIN_PULLED_UP = 3; // of rp2040js GPIOPinState
const STEPS_BETWEEN_CHECKS = 20000;

export class Board {
  /** image: the contents of the flash chip. events: onConsole, onUart, onReset, onUsb, onFlashChange, onPowerCut. */
  constructor({ image, bootrom, uid, flashTiming, mayOffer, events }) {
    Object.assign(this, { bootrom, uid, flashTiming, mayOffer, events });
    this.cells = image;
    this.flashBytes = image.length;
    this.earlierNs = 0; // chip time before the last reset
    this.resets = 0;
    this.driven = new Map(); // pins that something outside holds high or low
    this.flashStats = null;
    this.powerUp({ reason: 0, scratch: null });
  }

  get chipNs() { return this.earlierNs + this.clock.nanos; }
  get sinceResetNs() { return this.clock.nanos; }
  get asleep() { return this.chip.core.waiting; }

  powerUp({ reason, scratch }) {
    const chip = this.chip = new RP2040();
    const clock = this.clock = chip.clock;
    chip.logger = new ConsoleLogger(LogLevel.Error);
    chip.loadBootrom(this.bootrom);
    chip.flash.set(this.cells);
    shortenMemoryAccess(chip);
    this.pendingReset = null;
    this.flash = new SpiNor(chip.flash, {
      size: this.flashBytes,
      uid: this.uid,
      onTime: this.flashTiming ? (ns) => clock.tick(ns) : null,
      onChange: this.events.onFlashChange,
      onPowerCut: this.events.onPowerCut,
    });
    if (this.flashStats) this.flash.stats = this.flashStats;
    this.flashStats = this.flash.stats;
    const ssi = new Ssi(this.flash);
    chip.peripherals[SSI] = ssi;
    chip.peripherals[IO_QSPI] = new QspiPins(ssi);
    chip.peripherals[ROSC] = new RingOscillator();
    chip.peripherals[VREG_AND_CHIP_RESET] = new ChipReset();
    this.wireSecondCore();
    this.wireWatchdog(reason, scratch);
    this.wireUarts();
    this.wirePins();
    for (const bus of chip.i2c) { // real hardware reports an empty FIFO behind an abort
      const abort = bus.abort.bind(bus);
      bus.abort = (cause) => { abort(cause); bus.setInterrupts(1 << 4); };
    }
    this.usb = new CdcHost(chip.usbCtrl, { onData: this.events.onConsole, mayOffer: this.mayOffer });
    this.usb.onDeviceConnected = () => this.events.onUsb();
    chip.core.PC = FLASH_START;
  }

  /** Core 1 does not run; its reset and mailbox answer so that the firmware's start-up goes on. */
  wireSecondCore() {
    const { sio } = this.chip;
    const mailbox = [];
    const readSio = sio.readUint32.bind(sio), writeSio = sio.writeUint32.bind(sio);
    sio.readUint32 = (offset) => {
      if (offset === 0x50) return 2 | (mailbox.length ? 1 : 0);
      if (offset === 0x58) return mailbox.shift() ?? 0;
      return readSio(offset);
    };
    sio.writeUint32 = (offset, value) => { if (offset !== 0x50 && offset !== 0x54) writeSio(offset, value); };
    const psm = this.chip.peripherals[PSM];
    const writePsm = psm.writeUint32.bind(psm);
    psm.writeUint32 = (offset, value) => {
      const wasOff = psm.frceOff & 0x10000;
      writePsm(offset, value);
      if (offset === 4 && wasOff && !(psm.frceOff & 0x10000)) mailbox.splice(0, mailbox.length, 0);
    };
  }

  wireWatchdog(reason, scratch) {
    const watchdog = this.chip.peripherals[WATCHDOG];
    watchdog.reason = reason;
    if (scratch) watchdog.scratchData.set(scratch);
    watchdog.onWatchdogTrigger = () => {
      watchdog.timer.enable = false; // rp2040js would fire again at distance 0 for ever
      watchdog.alarm.enable = false;
      this.pendingReset = { reason: watchdog.reason, scratch: Uint32Array.from(watchdog.scratchData) };
    };
  }

  wireUarts() {
    this.uarts = UART_INTERRUPTS.map((interrupt, index) => new Uart(this.chip, interrupt,
      (byte) => this.events.onUart(index, byte)));
    [this.chip.uart[0], this.chip.uart[1]] = this.uarts;
    this.chip.peripherals[UART0] = this.uarts[0];
    this.chip.peripherals[UART1] = this.uarts[1];
  }

  /** A pin reads what it drives, what somebody outside drives, or its pull. */
  wirePins() {
    for (const pin of this.chip.gpio) pin.addListener((state) => this.settlePin(pin, state));
    for (const index of this.driven.keys()) this.settlePin(this.chip.gpio[index], this.chip.gpio[index].value);
  }

  settlePin(pin, state) {
    if (state <= PIN_HIGH) pin.setInputValue(state === PIN_HIGH);
    else pin.setInputValue(this.driven.get(pin.index) ?? state === PIN_PULLED_UP);
  }

  /** level: true, false, or null to let go. */
  drivePin(index, level) {
    if (level === null) this.driven.delete(index);
    else this.driven.set(index, level);
    const pin = this.chip.gpio[index];
    this.settlePin(pin, pin.value);
  }

  setAdc(channel, value) { this.chip.adc.channelValues[channel] = value; }

  /** The RUN pin, as a reset button has it: everything starts anew, only the flash stays. */
  pressReset() { this.pendingReset = { reason: 0, scratch: null }; }

  reset() {
    const cause = this.pendingReset;
    this.resets++;
    this.cells = this.chip.flash.slice(0, this.flashBytes);
    this.earlierNs += this.clock.nanos;
    const cut = this.flash.cut;
    this.powerUp(cause);
    this.flash.cut = cut;
    this.events.onReset(cause.reason);
  }

  /** Run until chip time targetNs or until wallMs are used up; sleep costs nothing. */
  runUntil(targetNs, wallMs) {
    const end = performance.now() + wallMs;
    while (this.chipNs < targetNs) {
      this.runSome(targetNs - this.earlierNs);
      if (this.pendingReset) this.reset();
      if (performance.now() > end) return;
    }
  }

  runSome(stopNs) {
    const { clock } = this, { core } = this.chip;
    for (let i = 0; i < STEPS_BETWEEN_CHECKS && clock.nanosCounter < stopNs && !this.pendingReset; i++) {
      const alarm = clock.nextAlarm;
      if (!core.waiting) {
        const ns = core.executeInstruction() * CYCLE_NS;
        // What clock.tick does where no alarm is due, which is nearly always.
        if (alarm === clock.nextAlarm && alarm && alarm.nanos > clock.nanosCounter + ns) clock.nanosCounter += ns;
        else clock.tick(ns);
        continue;
      }
      const wakeNs = alarm && alarm.nanos < stopNs ? alarm.nanos : stopNs;
      clock.tick(wakeNs - clock.nanosCounter);
    }
  }

  /** Chip time until something happens by itself, or null. */
  get nextEventNs() { return this.clock.nextAlarm ? this.clock.nextAlarm.nanos - this.clock.nanos : null; }
}

/** The ring oscillator: stable, and its random bit is random, so that os.urandom is. */
class RingOscillator extends Registers {
  readUint32(offset) {
    if (offset === 0x1c) return Math.random() < 0.5 ? 0 : 1;
    if (offset === 0x18) return 0x80001000;
    return super.readUint32(offset);
  }
}

/** The voltage regulator is in regulation; the last power-on was an ordinary one. */
class ChipReset extends Registers {
  readUint32(offset) {
    if (offset === 8) return 0x100;
    if (offset === 0) return (this.values.get(0) ?? 0xb1) | 0x1000;
    return super.readUint32(offset);
  }
}
