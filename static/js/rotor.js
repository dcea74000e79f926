// rotor: parts of a screen that turn. All turn by one timer, twenty pictures
// a second, and stand still when nobody looks or motion is not wanted.

const PICTURE_MS = 50;
const still = matchMedia('(prefers-reduced-motion: reduce)');

// The element's own transform as CSS writes it, to put before the rotation.
function cssTransform(element) {
	const list = element.transform.baseVal;

	if (list.numberOfItems === 0)
		return '';
	const { a, b, c, d, e, f } = list.consolidate().matrix;

	return `matrix(${a}, ${b}, ${c}, ${d}, ${e}, ${f})`;
}

export class Rotors {
	#rotors = new Map(); // element -> {base, angle, rpm}
	#timer = 0;
	#last = 0;

	add(element) {
		const base = cssTransform(element);
		// Neighbours with the same speed should not look like copies.
		const angle = this.#rotors.size * 47 % 360;

		this.#rotors.set(element, { base, angle, rpm: 0 });
		this.#place(element, this.#rotors.get(element));
	}

	setSpeed(element, rpm) {
		this.#rotors.get(element).rpm = rpm;
		if (this.#timer === 0 && rpm !== 0 && !still.matches) {
			this.#last = performance.now();
			this.#timer = setTimeout(() => this.#turn(), PICTURE_MS);
		}
	}

	#turn() {
		const now = performance.now();
		const minutes = Math.min(now - this.#last, 1000) / 60_000;
		let turning = false;

		this.#last = now;
		for (const [element, rotor] of this.#rotors) {
			if (rotor.rpm === 0)
				continue;
			turning = true;
			rotor.angle = (rotor.angle + rotor.rpm * 360 * minutes) % 360;
			this.#place(element, rotor);
		}
		const next = () => {
			this.#timer = turning && !still.matches ? setTimeout(() => this.#turn(), PICTURE_MS) : 0;
		};

		if (document.hidden)
			requestAnimationFrame(next); // comes when the page is seen again
		else
			next();
	}

	// A style costs no layout, as the attribute would.
	#place(element, { base, angle }) {
		element.style.transform = `${base} rotate(${angle.toFixed(1)}deg)`;
	}
}
