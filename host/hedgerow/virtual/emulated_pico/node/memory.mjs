// The shortest way from the processor to the memories that it touches all the time: RAM, flash window, boot ROM.
// Knows addresses. Refuses to know peripherals: everything else goes the long way of rp2040js.

const ROM_END = 0x4000;
const FLASH_START = 0x10000000, FLASH_END = 0x11000000;
const RAM_START = 0x20000000, RAM_END = 0x20042000;

/** Shadow the chip's memory methods with ones that look at the address once. A third of the emulator's time. */
export function shortenMemoryAccess(chip) {
  const { bootrom, flash, flash16, sram } = chip;
  const rom16 = new Uint16Array(bootrom.buffer);
  const flash32 = new Uint32Array(flash.buffer);
  const ram16 = new Uint16Array(sram.buffer), ram32 = new Uint32Array(sram.buffer);
  const long = {};
  for (const name of ['readUint8', 'readUint16', 'readUint32', 'writeUint8', 'writeUint16', 'writeUint32']) {
    long[name] = chip[name].bind(chip);
  }
  chip.readUint32 = (address) => {
    address >>>= 0;
    if (address & 3) return long.readUint32(address);
    if (address >= RAM_START && address < RAM_END) return ram32[(address - RAM_START) >> 2];
    if (address >= FLASH_START && address < FLASH_END) return flash32[(address - FLASH_START) >> 2];
    return long.readUint32(address);
  };
  chip.readUint16 = (address) => {
    address >>>= 0;
    if (address & 1) return long.readUint16(address);
    if (address >= FLASH_START && address < FLASH_END) return flash16[(address - FLASH_START) >> 1];
    if (address >= RAM_START && address < RAM_END) return ram16[(address - RAM_START) >> 1];
    if (address < ROM_END) return rom16[address >> 1];
    return long.readUint16(address);
  };
  chip.readUint8 = (address) => {
    address >>>= 0;
    if (address >= RAM_START && address < RAM_END) return sram[address - RAM_START];
    if (address >= FLASH_START && address < FLASH_END) return flash[address - FLASH_START];
    return long.readUint8(address);
  };
  chip.writeUint32 = (address, value) => {
    address >>>= 0;
    if (address >= RAM_START && address < RAM_END && !(address & 3)) ram32[(address - RAM_START) >> 2] = value;
    else long.writeUint32(address, value);
  };
  chip.writeUint16 = (address, value) => {
    address >>>= 0;
    if (address >= RAM_START && address < RAM_END && !(address & 1)) ram16[(address - RAM_START) >> 1] = value;
    else long.writeUint16(address, value);
  };
  chip.writeUint8 = (address, value) => {
    address >>>= 0;
    if (address >= RAM_START && address < RAM_END) sram[address - RAM_START] = value;
    else long.writeUint8(address, value);
  };
}
