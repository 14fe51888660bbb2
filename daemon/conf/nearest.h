/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CONF_NEAREST_H
#define CONF_NEAREST_H

/*
 * "Did you mean ...?": of the candidates offered, the one that a slip of the
 * finger turns into the word.
 */
struct nearest {
	const char *word;
	const char *best;		/* NULL: nothing is near */
	unsigned distance;
};

void nearest_init(struct nearest *nearest, const char *word);

/* The candidate is borrowed. */
void nearest_offer(struct nearest *nearest, const char *candidate);

#define NEAREST_HINT_SIZE 96

/* " (did you mean \"best\"?)", or "".  Returns buf. */
char *nearest_hint(const struct nearest *nearest, char buf[NEAREST_HINT_SIZE]);

#endif
