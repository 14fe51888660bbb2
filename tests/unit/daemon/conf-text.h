/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CONF_TEXT_H
#define CONF_TEXT_H

#include <stddef.h>

#include "conf/conf.h"

/*
 * Configurations from a text in the test, under the file name "f".
 */

/* As conf_load(); problems are initialised here. */
int conf_text_load(const char *text, size_t len, struct conf **ret_conf,
    struct conf_problems *problems);

/* The text has no mistakes, or the test fails. */
struct conf *conf_text_good(const char *text);

/*
 * The text has exactly the one mistake, which reads so: "f:LINE: ..." in
 * full, or its beginning.  The column, if there is one, is passed over.
 */
void conf_text_bad(const char *text, const char *problem);

#define CONF_TEXT_SIZE 1024

/* "f:7:3: what is wrong" as "f:7: what is wrong".  Returns buf. */
const char *conf_text_without_column(const char *problem,
    char buf[CONF_TEXT_SIZE]);

#endif
