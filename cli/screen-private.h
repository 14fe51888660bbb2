/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_SCREEN_PRIVATE_H
#define CLI_SCREEN_PRIVATE_H

#include "cli/job-status.h"
#include "cli/screen.h"

/*
 * What the screen's keys and its drawing have in common.
 */

const char *screen_name_of(const json_t *job);

/* Its place in s->jobs; as many as there are: it is not there. */
size_t screen_find_selected(const struct screen *s);
bool screen_read_selected(const struct screen *s,
    struct job_status *ret_status);

/* screen-draw.c: a blank and a text; one that is cut shows it. */
void screen_draw_cut(struct canvas *c, enum style style, const char *text);
/* screen-list.c: so many jobs, with what is above them; it may scroll. */
void screen_draw_list(struct screen *s, struct canvas *c, size_t height);
/* screen-detail.c: the job that is selected; its log, as high as c is. */
void screen_draw_detail(const struct screen *s, struct canvas *c,
    size_t map_rows);
void screen_draw_log(const struct screen *s, struct canvas *c);

#endif
