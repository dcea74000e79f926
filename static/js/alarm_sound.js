// alarm_sound: a sound for alarms that nobody has acknowledged. Whoever wants
// it turns it on, for this browser; of many open pages one sounds. It is heard
// until somebody silences it, or has acknowledged all, and again with the next
// alarm. Before a page was touched a browser plays nothing: the button says so.

import { make, makeSvg, setText } from './page.js';

const KEY = 'fg-alarm-sound';
const EVERY_MS = 4000;
const TONES = { 1: [880, 660, 880], 2: [660, 520], 3: [520], 4: [440] };
const TONE_S = 0.18;

let chosen = 'off'; // where storage is forbidden it lasts for this page

function isOn() {
	try {
		return (localStorage.getItem(KEY) ?? chosen) === 'on';
	} catch {
		return chosen === 'on';
	}
}

function choose(word) {
	chosen = word;
	try {
		localStorage.setItem(KEY, word);
	} catch {
		// forbidden
	}
}

function speaker() {
	return makeSvg('svg', { viewBox: '0 0 24 24', class: 'fg-speaker', 'aria-hidden': 'true', focusable: 'false' },
		makeSvg('path', { d: 'M3 9H7L12 4V20L7 15H3Z' }),
		makeSvg('path', { d: 'M15.5 9A4 4 0 0 1 15.5 15M18 6A8 8 0 0 1 18 18', class: 'fg-speaker-on' }),
		makeSvg('path', { d: 'M16 9L22 15M22 9L16 15', class: 'fg-speaker-off' }));
}

function play(context, priority) {
	const tones = TONES[priority] ?? TONES[4];

	tones.forEach((frequency, i) => {
		const start = context.currentTime + i * TONE_S;
		const oscillator = new OscillatorNode(context, { frequency });
		const gain = new GainNode(context, { gain: 0 });

		gain.gain.setTargetAtTime(0.25, start, 0.01);
		gain.gain.setTargetAtTime(0, start + TONE_S * 0.7, 0.02);
		oscillator.connect(gain).connect(context.destination);
		oscillator.start(start);
		oscillator.stop(start + TONE_S * 2);
	});
}

export class AlarmSound {
	#words = make('span');
	#button = make('button', { type: 'button', class: 'fg-button fg-button-quiet fg-alarm-sound' }, speaker(), this.#words);
	#context = null;
	#mine = false; // of all pages this one sounds
	#waiting = 0; // alarms that nobody has acknowledged
	#top = '';
	#priority = 4;
	#loud = false;
	#timer = 0;

	constructor(line) {
		if (globalThis.AudioContext === undefined)
			return;
		line.append(this.#button);
		this.#button.addEventListener('click', () => this.#press());
		addEventListener('storage', ({ key }) => key === KEY && this.#show());
		addEventListener('pointerdown', () => this.#context?.resume(), { passive: true });
		navigator.locks?.request(KEY, () => new Promise(() => {
			this.#mine = true;
			this.#show();
		}));
		this.#mine = navigator.locks === undefined;
		this.#show();
	}

	// A summary of what waits; more than before, or another on top, is new.
	hear({ unacknowledged, top }) {
		const waiting = Object.values(unacknowledged).reduce((sum, count) => sum + count, 0);
		const id = top[0]?.alarm.id ?? '';

		if (waiting === 0)
			this.#loud = false;
		else if (waiting > this.#waiting || id !== this.#top && waiting >= this.#waiting)
			this.#loud = true;
		this.#waiting = waiting;
		this.#top = id;
		this.#priority = top[0]?.alarm.priority ?? 4;
		this.#show();
	}

	// While it is heard the button silences; else it turns sound on and off.
	#press() {
		if (isOn() && this.#loud) {
			this.#loud = false;
		} else {
			choose(isOn() ? 'off' : 'on');
			this.#loud = isOn() && this.#waiting > 0;
		}
		this.#show();
	}

	#show() {
		const on = isOn();
		const sounds = on && this.#loud;

		if (on && this.#mine)
			this.#context ??= new AudioContext();
		this.#say(sounds ? 'Silence' : '', sounds ? 'Silence' : `Sound of alarms: ${on ? 'on' : 'off'}`);
		this.#button.classList.toggle('fg-sound-on', on);
		clearInterval(this.#timer);
		if (!sounds || !this.#mine)
			return;
		this.#sound();
		this.#timer = setInterval(() => this.#sound(), EVERY_MS);
	}

	#say(words, label) {
		setText(this.#words, words);
		this.#button.setAttribute('aria-label', label);
		this.#button.title = label;
	}

	#sound() {
		if (this.#context.state === 'running') {
			this.#say('Silence', 'Silence');
			play(this.#context, this.#priority);
			return;
		}
		this.#say('Touch to hear', 'Touch to hear');
		this.#context.resume().catch(() => {});
	}
}
