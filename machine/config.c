/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's own copy of its config: defaults filled in, nonsense refused. */
#include <stdlib.h>
#include <string.h>

#include "machine/internal.h"

#define DEFAULT_MEMORY (512ull << 20)

static int copy_string(const char **string, struct ls_error *err)
{
	if (!*string)
		return 0;
	*string = strdup(*string);
	return *string ? 0 : ls_error_set(err, -ENOMEM, "no memory for the configuration");
}

/* An engine that the machine goes on on later has them, too. */
static int copy_params(struct machine_config *config, struct ls_error *err)
{
	struct machine_param *params = calloc(config->param_count + 1, sizeof(*params));
	int ret = params ? 0 : -ENOMEM;

	for (unsigned int i = 0; i < config->param_count && !ret; i++) {
		params[i] = config->params[i];
		ret = copy_string(&params[i].name, err);
		if (!ret)
			ret = copy_string(&params[i].value, err);
	}
	config->params = params;
	return ret;
}

static void free_params(struct machine_config *config)
{
	for (unsigned int i = 0; i < config->param_count; i++) {
		free((char *)config->params[i].name);
		free((char *)config->params[i].value);
	}
	free((void *)config->params);
}

int config_copy(struct machine_config *config, const struct machine_config *from,
		struct ls_error *err)
{
	const char **strings[] = {&config->cpu,    &config->kernel,  &config->initrd,
				  &config->append, &config->net.tap, &config->leave.save};
	size_t count = sizeof(strings) / sizeof(strings[0]), i;
	int ret = 0;

	*config = *from;
	for (i = 0; i < count && !ret; i++)
		ret = copy_string(strings[i], err);
	for (; i < count; i++) /* not copied: not ours to free */
		*strings[i] = NULL;
	for (unsigned int d = 0; d < MACHINE_MAX_DISKS; d++) {
		if (d >= config->disk_count)
			config->disks[d].path = NULL;
		else if (ret)
			config->disks[d].path = NULL;
		else
			ret = copy_string(&config->disks[d].path, err);
	}
	ret = ret ? ret : copy_params(config, err);
	if (ret) {
		config->params = NULL;
		config->param_count = 0;
	}
	if (!config->vcpus)
		config->vcpus = 1;
	if (!config->memory)
		config->memory = DEFAULT_MEMORY;
	if (!config->quantum_ns)
		config->quantum_ns = MACHINE_DEFAULT_QUANTUM_NS;
	return ret;
}

void config_free(struct machine_config *config)
{
	free((char *)config->cpu);
	free((char *)config->kernel);
	free((char *)config->initrd);
	free((char *)config->append);
	free((char *)config->net.tap);
	free((char *)config->leave.save);
	free_params(config);
	for (unsigned int i = 0; i < MACHINE_MAX_DISKS; i++)
		free((char *)config->disks[i].path);
}

int config_check(const struct machine_config *config, struct ls_error *err)
{
	if (!config->engine)
		return ls_error_set(err, -EINVAL, "no engine was chosen");
	if (config->vcpus > MACHINE_MAX_VCPUS)
		return ls_error_set(err, -EINVAL, "%u vCPUs are too many; give 1 to %d",
				    config->vcpus, MACHINE_MAX_VCPUS);
	if (config->disk_count > MACHINE_MAX_DISKS)
		return ls_error_set(err, -EINVAL, "%u disks are too many; give at most %d",
				    config->disk_count, MACHINE_MAX_DISKS);
	if (config->state_hash_every && config->schedule == MACHINE_PARALLEL)
		return ls_error_set(
			err, -EINVAL,
			"a state hash needs vCPUs in turn; use the round-robin schedule");
	return 0;
}
