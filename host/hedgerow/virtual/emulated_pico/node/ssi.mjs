// The way from the processor to the flash chip: the SSI peripheral and the chip-select pin of IO_QSPI.
// Knows registers (RP2040 data sheet 4.10.13 and 2.19.6.2). Refuses to know flash commands.

const SSI_ENABLE = 0x08;
const TX_LEVEL = 0x20;
const RX_LEVEL = 0x24;
const STATUS = 0x28;
const ID = 0x58;
const VERSION = 0x5c;
const DATA = 0x60;
const STATUS_TX_READY = 0x06;
const STATUS_RX_READY = 0x08;

const SELECT_NORMAL = 0; // the SSI drives the pin itself
const SELECT_LOW = 2; // software holds the chip selected

/** What a write through one of the atomic aliases (xor, set, clear) leaves in a register. */
export function atomic(current, value, alias) {
  switch (alias) {
    case 1: return (current ^ value) >>> 0;
    case 2: return (current | value) >>> 0;
    case 3: return (current & ~value) >>> 0;
    default: return value >>> 0;
  }
}

/** A peripheral as rp2040js addresses it, with nothing but stored registers. */
export class Registers {
  constructor() {
    this.values = new Map();
    this.rawWriteValue = 0;
  }

  readUint32(offset) { return this.values.get(offset) ?? 0; }
  writeUint32(offset, value) { this.values.set(offset, value >>> 0); }

  writeUint32Atomic(offset, value, alias) {
    this.rawWriteValue = value;
    this.writeUint32(offset, alias ? atomic(this.readUint32(offset), value, alias) : value);
  }
}

export class Ssi extends Registers {
  constructor(chip) {
    super();
    this.chip = chip;
    this.received = [];
    this.pinMode = SELECT_NORMAL;
  }

  /** Called by the chip-select pin's override field. */
  setPinMode(mode) {
    const was = this.pinMode === SELECT_LOW;
    const is = mode === SELECT_LOW;
    this.pinMode = mode;
    if (is && !was) {
      this.received.length = 0;
      this.chip.select();
    }
    if (was && !is) this.chip.deselect();
  }

  readUint32(offset) {
    switch (offset) {
      case RX_LEVEL: return this.received.length;
      case TX_LEVEL: return 0;
      case STATUS: return STATUS_TX_READY | (this.received.length ? STATUS_RX_READY : 0);
      case ID: return 0x51535049;
      case VERSION: return 0x3430312a;
      case DATA: return this.received.shift() ?? 0;
    }
    return super.readUint32(offset);
  }

  writeUint32(offset, value) {
    if (offset !== DATA) return super.writeUint32(offset, value);
    if (!(super.readUint32(SSI_ENABLE) & 1)) return;
    this.received.push(this.transfer(value & 0xff));
  }

  transfer(byte) {
    if (this.pinMode === SELECT_LOW) return this.chip.shift(byte);
    if (this.pinMode !== SELECT_NORMAL) return 0xff; // nobody is selected
    // Without software's hold the pin falls with the first byte of a burst and rises behind its last.
    if (!this.received.length) {
      this.chip.deselect();
      this.chip.select();
    }
    return this.chip.shift(byte);
  }
}

/** IO_QSPI, as far as the boot code and flash routines use it: the override of the chip-select pin. */
export class QspiPins extends Registers {
  constructor(ssi) {
    super();
    this.ssi = ssi;
  }

  readUint32(offset) { return this.values.get(offset) ?? ((offset & 7) === 4 ? 0x1f : 0); }

  writeUint32(offset, value) {
    super.writeUint32(offset, value);
    if (offset === 0x0c) this.ssi.setPinMode((value >>> 8) & 3);
  }
}
