"""Puts MicroPython onto boards: images and what they are for, the ESP32's boot loader, the Pico's drive."""
