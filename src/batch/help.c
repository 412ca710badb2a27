#include "batch/help.h"

#include "base/buf.h"
#include "base/sandbox.h"
#include "base/version.h"
#include "batch/batch.h"
#include "format/h5scan.h"

static void put_usage(struct buf *b)
{
	buf_puts(b, "Usage: weigh [OPTIONS] A [B]\n"
		    "       weigh COMMAND [OPTIONS] A [B] [PATTERN...]\n\n"
		    "Weighs one set of neural-network weights, or two against each other: on the\n"
		    "screen, or in text where a command is named or there is no terminal.\n\n"
		    "A and B are weight files, directories or archives that hold one model, or - for\n"
		    "standard input. PATTERN is a name, a group, a glob or a /regular expression/.\n");
}

static void put_commands(struct buf *b)
{
	buf_puts(b, "\nCommands:\n");
	for (const struct command *c = commands; c->name; c++) {
		struct buf left = {0};

		buf_printf(&left, "%s %s", c->name, c->args);
		buf_printf(b, "  %-24s %s\n", left.p, c->about);
		buf_free(&left);
	}
}

static void put_options(struct buf *b)
{
	buf_puts(b, "\nOptions:\n");
	for (const struct option_info *i = option_infos; i->names; i++) {
		struct buf left = {0};

		buf_printf(&left, "%s%s%s", i->names, i->arg ? "=" : "", i->arg ? i->arg : "");
		buf_printf(b, "  %-24s %s\n", left.p, i->about);
		buf_free(&left);
	}
}

int help(const struct opts *o)
{
	struct buf b = {0};

	if (o->version && !o->help) {
		buf_puts(&b, "weigh " WEIGH_VERSION "\n");
		if (h5_version())
			buf_printf(&b, "HDF5: libhdf5 %s\n", h5_version());
		else
			buf_puts(&b, "HDF5: not in this build\n");
		buf_printf(&b, "Sandbox: %s\n", sandbox_about());
	} else if (o->cmd) {
		buf_printf(&b, "Usage: weigh %s [OPTIONS] %s\n\n%s\n", o->cmd->name, o->cmd->args, o->cmd->about);
		put_options(&b);
	} else {
		put_usage(&b);
		put_commands(&b);
		put_options(&b);
	}
	if (!(o->version && !o->help))
		buf_puts(&b, "\nExit status: 0 no difference, 1 differences, 2 trouble. See weigh(1).\n");
	out_buf(&b);
	buf_free(&b);
	return 0;
}
