/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Signs of life for the service manager, which starts the daemon anew when
 * they stay out (WatchdogSec= of systemd).
 *
 * The main thread asks every worker for a sign, by mail, and gives its own
 * only once all of them have answered: so neither a main loop nor a worker
 * can hang unnoticed, however well the others do.  That is asked four times
 * in the time that the service manager waits.
 */
#include "watchdog.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "base/annotate.h"
#include "base/list.h"
#include "base/log.h"

#define TURNS 4

/* Asked: the mail is the worker's, until it says so here. */
struct sign {
	struct mail mail;
	atomic_bool is_given;
	bool is_missed;			/* and that has been logged */
};

struct watchdog {
	struct net_timer timer;
	uint64_t turn_ms;
	struct worker_pool *pool;
	unsigned n_signs;
	struct sign signs[];
};

static void
on_asked(struct mail *mail)
{
	struct sign *sign = list_entry(mail, struct sign, mail);

	on_worker_entry();
	atomic_store(&sign->is_given, true);
}

/* Whether a worker has answered; it is asked again if so. */
static bool
look_at(struct watchdog *dog, unsigned i)
{
	struct sign *sign = &dog->signs[i];

	if (!atomic_load(&sign->is_given)) {
		if (!sign->is_missed)
			log_error("worker %u gives no sign of life", i);
		sign->is_missed = true;
		return false;
	}
	if (sign->is_missed)
		log_warning("worker %u gives signs of life again", i);
	sign->is_missed = false;
	atomic_store(&sign->is_given, false);
	worker_post(worker_pool_get(dog->pool, i), &sign->mail);
	return true;
}

static void
on_turn(void *arg)
{
	struct watchdog *dog = arg;
	unsigned n_alive = 0;

	on_main_entry();
	for (unsigned i = 0; i < dog->n_signs; i++)
		if (look_at(dog, i))
			n_alive++;
	if (n_alive == dog->n_signs)
		(void)sd_notify(0, "WATCHDOG=1");
	net_timer_start(&dog->timer, dog->turn_ms);
}

int
watchdog_start(struct net_loop *loop, struct worker_pool *pool,
    struct watchdog **ret_dog)
{
	const unsigned n = worker_pool_size(pool);
	struct watchdog *dog;
	uint64_t limit_us;

	if (sd_watchdog_enabled(0, &limit_us) <= 0)
		return 0;
	dog = calloc(1, sizeof *dog + n * sizeof dog->signs[0]);
	if (dog == NULL)
		return -ENOMEM;
	if (net_timer_init(&dog->timer, loop, on_turn, dog) < 0) {
		free(dog);
		return -ENOMEM;
	}
	dog->pool = pool;
	dog->n_signs = n;
	dog->turn_ms = limit_us / 1000 / TURNS + 1;
	for (unsigned i = 0; i < n; i++) {
		dog->signs[i].mail.deliver = on_asked;
		atomic_init(&dog->signs[i].is_given, true);
	}
	*ret_dog = dog;
	on_turn(dog);
	return 0;
}

void
watchdog_free(struct watchdog *dog)
{
	if (dog == NULL)
		return;
	net_timer_done(&dog->timer);
	free(dog);
}
