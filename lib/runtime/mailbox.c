/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A mailbox: a queue under a mutex, and an eventfd that wakes the loop of
 * the thread that owns it.
 *
 * The eventfd is written only when the queue was empty: a burst of mails
 * costs one system call, and one wake-up takes them all.  What is posted
 * while mails are being delivered finds the queue empty and wakes the loop
 * again, so a thread that posts to itself without end cannot starve the
 * loop's other events.
 */
#include "runtime/mailbox.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/cleanup.h"

struct mailbox {
	pthread_mutex_t mutex;		/* guards first and last */
	struct mail *first;
	struct mail *last;
	int fd;				/* the eventfd */
	struct net_watch watch;
};

static struct mail *
take_all(struct mailbox *box)
{
	struct mail *first;

	(void)pthread_mutex_lock(&box->mutex);
	first = box->first;
	box->first = NULL;
	box->last = NULL;
	(void)pthread_mutex_unlock(&box->mutex);
	return first;
}

/*
 * The counter is reset before the queue is taken.  The other way round a
 * mail posted in between would lose its wake-up.  The box is not touched
 * once the first mail is delivered: a mail may free it.
 */
static void
mailbox_on_readable(void *arg)
{
	struct mailbox *box = arg;
	struct mail *mail;
	uint64_t n_wakeups;
	ssize_t n;

	n = read(box->fd, &n_wakeups, sizeof n_wakeups);
	if (n < 0)
		assert(errno == EAGAIN);
	mail = take_all(box);
	while (mail != NULL) {
		/* deliver() may free the mail or post it again. */
		struct mail *next = mail->next;

		mail->deliver(mail);
		mail = next;
	}
}

static int
mailbox_open(struct mailbox *box, struct net_loop *loop)
{
	int r;

	box->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (box->fd < 0)
		return -errno;
	r = net_watch_init(&box->watch, loop, box->fd, mailbox_on_readable,
	    NULL, box);
	if (r < 0) {
		(void)close(box->fd);
		return r;
	}
	net_watch_read(&box->watch, true);
	return 0;
}

int
mailbox_new(struct net_loop *loop, struct mailbox **ret_box)
{
	CLEANUP(cleanup_free) struct mailbox *box = NULL;
	int r;

	box = calloc(1, sizeof *box);
	if (box == NULL)
		return -ENOMEM;
	r = -pthread_mutex_init(&box->mutex, NULL);
	if (r < 0)
		return r;
	r = mailbox_open(box, loop);
	if (r < 0) {
		(void)pthread_mutex_destroy(&box->mutex);
		return r;
	}
	*ret_box = STEAL(box);
	return 0;
}

void
mailbox_free(struct mailbox *box)
{
	if (box == NULL)
		return;
	net_watch_done(&box->watch);
	(void)close(box->fd);
	(void)pthread_mutex_destroy(&box->mutex);
	free(box);
}

/*
 * The eventfd is written under the mutex: the thread that owns the box may
 * free it as soon as it has seen the mail, and it takes the mutex to see it.
 */
void
mailbox_post(struct mailbox *box, struct mail *mail)
{
	const uint64_t one = 1;
	ssize_t n = 0;

	mail->next = NULL;
	(void)pthread_mutex_lock(&box->mutex);
	if (box->first == NULL) {
		box->first = mail;
		n = write(box->fd, &one, sizeof one);
	} else {
		box->last->next = mail;
	}
	box->last = mail;
	(void)pthread_mutex_unlock(&box->mutex);
	/* Only a full counter could refuse, and it never exceeds one. */
	assert(n >= 0);
	(void)n;
}
