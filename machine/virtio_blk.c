/* SPDX-License-Identifier: Apache-2.0 */
/* The disk's requests: virtio 1.2, 5.2.6. Whatever goes wrong on the host is an I/O error. */
#include "machine/virtio_blk.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/falloc.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine/input_log.h"
#include "machine/virtio.h"
#include "record/record.h"

#define SECTOR       512u
#define PIECE        65536u /* bytes moved at once */
#define SIZE_MAX_SEG PIECE
#define SEG_MAX      (VIRTQ_MAX_SIZE - 2) /* header and status take a descriptor each */
/* A request may not keep the machine busy for long, whatever its descriptors say. */
#define DATA_MAX      ((uint32_t)SEG_MAX * SIZE_MAX_SEG)
#define RANGES_MAX    16u
#define RANGE_SECTORS (DATA_MAX / SECTOR)

struct virtio_blk {
	struct virtio_device device;
	struct machine *machine; /* whose input is logged, or NULL */
	int fd;                  /* -1: the log stands in for the image */
	bool read_only;
	uint64_t sectors;
	char serial[VIRTIO_BLK_ID_BYTES];
	uint8_t piece[PIECE];
};

/* One request being served. */
struct request {
	struct virtio_blk *blk;
	struct virtqueue *queue;
	const struct virtq_chain *chain;
	struct virtio_blk_outhdr header;
	uint32_t out, in; /* bytes of data, without header and status */
};

static struct virtio_blk *from_device(struct virtio_device *device)
{
	return (struct virtio_blk *)((char *)device - offsetof(struct virtio_blk, device));
}

static bool in_range(const struct virtio_blk *blk, uint64_t sector, uint64_t count)
{
	return sector <= blk->sectors && count <= blk->sectors - sector;
}

static int read_all(int fd, uint8_t *bytes, size_t len, off_t at)
{
	while (len) {
		ssize_t got = pread(fd, bytes, len, at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) /* the image has shrunk under us, or the host's disk failed */
			return -EIO;
		bytes += got;
		len -= (size_t)got;
		at += got;
	}
	return 0;
}

static int write_all(int fd, const uint8_t *bytes, size_t len, off_t at)
{
	while (len) {
		ssize_t put = pwrite(fd, bytes, len, at);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return -EIO;
		bytes += put;
		len -= (size_t)put;
		at += put;
	}
	return 0;
}

/* --- the image, or the log of what it said --- */

static bool is_replayed(const struct virtio_blk *blk)
{
	return blk->machine && input_replaying(blk->machine);
}

static int read_piece(struct virtio_blk *blk, size_t len, off_t at)
{
	int ret;

	if (is_replayed(blk))
		return input_replay_read(blk->machine, blk->piece, len);
	ret = read_all(blk->fd, blk->piece, len, at);
	if (blk->machine)
		input_log_read(blk->machine, ret, blk->piece, len);
	return ret;
}

/* @ret: what became of another request, if the image was asked. */
static int result_of(struct virtio_blk *blk, int ret)
{
	return blk->machine ? input_disk_result(blk->machine, ret) : ret;
}

static int write_piece(struct virtio_blk *blk, size_t len, off_t at)
{
	return result_of(blk, is_replayed(blk) ? 0 : write_all(blk->fd, blk->piece, len, at));
}

/* Reads or writes @len bytes of data at the header's sector. */
static uint8_t serve_data(struct request *request, uint32_t len, bool write)
{
	struct virtio_blk *blk = request->blk;
	uint32_t done, piece;

	if (len % SECTOR || len > DATA_MAX || !in_range(blk, request->header.sector, len / SECTOR))
		return VIRTIO_BLK_S_IOERR;
	if (write && blk->read_only)
		return VIRTIO_BLK_S_IOERR;
	for (done = 0; done < len; done += piece) {
		off_t at = (off_t)(request->header.sector * SECTOR + done);
		int ret;

		piece = len - done < PIECE ? len - done : PIECE;
		if (write) {
			ret = virtq_read(request->queue, request->chain,
					 (uint32_t)sizeof(request->header) + done, blk->piece,
					 piece);
			if (ret == 0)
				ret = write_piece(blk, piece, at);
		} else {
			ret = read_piece(blk, piece, at);
			if (ret == 0)
				ret = virtq_write(request->queue, request->chain, done, blk->piece,
						  piece);
		}
		if (ret < 0)
			return VIRTIO_BLK_S_IOERR;
	}
	return VIRTIO_BLK_S_OK;
}

static uint8_t serve_in(struct request *request)
{
	return serve_data(request, request->in, false);
}

static uint8_t serve_flush(struct request *request)
{
	struct virtio_blk *blk = request->blk;
	int ret = is_replayed(blk) || !fdatasync(blk->fd) ? 0 : -errno;

	return result_of(blk, ret) < 0 ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK;
}

static uint8_t serve_out(struct request *request)
{
	uint8_t status = serve_data(request, request->out, true);

	/* 5.2.6.2: a driver that can't flush may rely on what is reported as written. */
	if (status == VIRTIO_BLK_S_OK && !virtio_has(&request->blk->device, VIRTIO_BLK_F_FLUSH))
		status = serve_flush(request);
	return status;
}

static uint8_t serve_get_id(struct request *request)
{
	struct virtio_blk *blk = request->blk;

	if (request->in < sizeof(blk->serial))
		return VIRTIO_BLK_S_IOERR;
	return virtq_write(request->queue, request->chain, 0, blk->serial, sizeof(blk->serial)) < 0
		       ? VIRTIO_BLK_S_IOERR
		       : VIRTIO_BLK_S_OK;
}

static int zero_range(struct virtio_blk *blk, uint64_t at, uint64_t len, bool unmap)
{
	int how = unmap ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE;

	if (fallocate(blk->fd, how | FALLOC_FL_KEEP_SIZE, (off_t)at, (off_t)len) == 0)
		return 0;
	/* The host's file system can't: write them. */
	memset(blk->piece, 0, sizeof(blk->piece));
	while (len) {
		size_t piece = len < PIECE ? len : PIECE;

		if (write_all(blk->fd, blk->piece, piece, (off_t)at) < 0)
			return -EIO;
		at += piece;
		len -= piece;
	}
	return 0;
}

static uint8_t serve_range(struct virtio_blk *blk, const struct virtio_blk_discard_write_zeroes *r,
			   bool discard)
{
	uint32_t known = discard ? 0 : VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP;
	int ret;

	/* 5.2.6.2: unknown flags, and unmap on a discard, are unsupported. */
	if (r->flags & ~known)
		return VIRTIO_BLK_S_UNSUPP;
	if (r->num_sectors > RANGE_SECTORS || !in_range(blk, r->sector, r->num_sectors))
		return VIRTIO_BLK_S_IOERR;
	if (!r->num_sectors)
		return VIRTIO_BLK_S_OK;
	if (discard) {
		/* Only advice: that the host can't is no error. */
		if (!is_replayed(blk))
			(void)!fallocate(blk->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
					 (off_t)(r->sector * SECTOR),
					 (off_t)r->num_sectors * SECTOR);
		return VIRTIO_BLK_S_OK;
	}
	ret = is_replayed(blk)
		      ? 0
		      : zero_range(blk, r->sector * SECTOR, (uint64_t)r->num_sectors * SECTOR,
				   r->flags & VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP);
	return result_of(blk, ret) < 0 ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK;
}

static uint8_t serve_ranges(struct request *request, bool discard)
{
	struct virtio_blk_discard_write_zeroes ranges[RANGES_MAX];
	uint8_t status = VIRTIO_BLK_S_OK;
	uint32_t i;

	if (request->blk->read_only || request->out % sizeof(ranges[0]) ||
	    request->out > sizeof(ranges))
		return VIRTIO_BLK_S_IOERR;
	if (virtq_read(request->queue, request->chain, sizeof(request->header), ranges,
		       request->out) < 0)
		return VIRTIO_BLK_S_IOERR;
	for (i = 0; i < request->out / sizeof(ranges[0]) && status == VIRTIO_BLK_S_OK; i++)
		status = serve_range(request->blk, &ranges[i], discard);
	return status;
}

static uint8_t serve_discard(struct request *request)
{
	return serve_ranges(request, true);
}

static uint8_t serve_write_zeroes(struct request *request)
{
	return serve_ranges(request, false);
}

static uint8_t (*const servers[])(struct request *request) = {
	[VIRTIO_BLK_T_IN] = serve_in,           [VIRTIO_BLK_T_OUT] = serve_out,
	[VIRTIO_BLK_T_FLUSH] = serve_flush,     [VIRTIO_BLK_T_GET_ID] = serve_get_id,
	[VIRTIO_BLK_T_DISCARD] = serve_discard, [VIRTIO_BLK_T_WRITE_ZEROES] = serve_write_zeroes,
};

static uint8_t serve_request(struct request *request)
{
	uint32_t type = request->header.type;

	if (type >= sizeof(servers) / sizeof(servers[0]) || !servers[type])
		return VIRTIO_BLK_S_UNSUPP;
	return servers[type](request);
}

static uint32_t serve(struct virtqueue *queue, const struct virtq_chain *chain)
{
	struct request request = {
		.blk = from_device(queue->device), .queue = queue, .chain = chain};
	uint8_t status;

	/* 5.2.6: a header that can be read and a status byte that can be written. */
	if (virtq_read(queue, chain, 0, &request.header, sizeof(request.header)) < 0 ||
	    !chain->write_len) {
		virtio_break(queue->device, "a disk request has no header or no status byte");
		return 0;
	}
	request.out = chain->read_len - (uint32_t)sizeof(request.header);
	request.in = chain->write_len - 1;
	status = serve_request(&request);
	virtq_write(queue, chain, request.in, &status, 1);
	/* 2.7.8.2: the status comes last, so after a failed read no length is true but 0. */
	return status == VIRTIO_BLK_S_OK || !request.in ? chain->write_len : 0;
}

static void blk_notify(struct virtio_device *device, unsigned int index)
{
	virtq_drain(&device->queues[index], serve);
}

static void blk_destroy(struct virtio_device *device)
{
	struct virtio_blk *blk = from_device(device);

	virtio_remove(device);
	if (blk->fd >= 0)
		close(blk->fd);
	free(blk);
}

static const struct record_field blk_fields[] = {
	RECORD_FIELD_SAME(struct virtio_blk, sectors),
	RECORD_FIELD_SAME(struct virtio_blk, read_only),
};
static const struct record_table blk_table = {
	.name = "disk", .version = 1, RECORD_FIELDS(blk_fields)};

static const struct virtio_type blk_type = {
	.name = "virtio disk",
	.id = VIRTIO_ID_BLOCK,
	.class = 0x010000,
	.queues = 1,
	.config_size = 60, /* up to and with write_zeroes_may_unmap and its padding */
	.state = &blk_table,
	.notify = blk_notify,
	.destroy = blk_destroy,
};

static int open_image(struct virtio_blk *blk, const struct virtio_blk_options *options,
		      struct ls_error *err)
{
	struct stat stat;
	off_t size;

	if (is_replayed(blk)) {
		blk->fd = -1;
		blk->sectors = *options->sectors;
		return 0;
	}
	blk->fd = open(options->path, (options->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	if (blk->fd < 0)
		return ls_error_set(err, -errno,
				    "cannot open disk image '%s'%s: %s; check the path and who may "
				    "use it",
				    options->path, options->read_only ? "" : " for writing",
				    strerror(errno));
	if (fstat(blk->fd, &stat) < 0 || !(S_ISREG(stat.st_mode) || S_ISBLK(stat.st_mode)))
		return ls_error_set(err, -EINVAL,
				    "disk image '%s' is neither a file nor a block device; name "
				    "another",
				    options->path);
	size = lseek(blk->fd, 0, SEEK_END);
	if (size <= 0 || size % SECTOR)
		return ls_error_set(err, -EINVAL,
				    "disk image '%s' has %" PRId64
				    " bytes; it must be a whole number of 512-byte sectors "
				    "(truncate -s %%512 pads it)",
				    options->path, (int64_t)size);
	blk->sectors = (uint64_t)size / SECTOR;
	return 0;
}

static void fill_config(struct virtio_blk *blk)
{
	struct virtio_blk_config config = {
		.capacity = blk->sectors,
		.size_max = SIZE_MAX_SEG,
		.seg_max = SEG_MAX,
		.blk_size = SECTOR,
		.num_queues = 1,
		.max_discard_sectors = RANGE_SECTORS,
		.max_discard_seg = RANGES_MAX,
		.discard_sector_alignment = 1,
		.max_write_zeroes_sectors = RANGE_SECTORS,
		.max_write_zeroes_seg = RANGES_MAX,
		.write_zeroes_may_unmap = 1,
	};

	memcpy(blk->device.config, &config, blk_type.config_size);
}

int virtio_blk_create(struct pci_bus *bus, const struct virtio_blk_options *options,
		      struct ls_error *err)
{
	uint64_t features =
		VIRTIO_FEATURE(VIRTIO_BLK_F_SIZE_MAX) | VIRTIO_FEATURE(VIRTIO_BLK_F_SEG_MAX) |
		VIRTIO_FEATURE(VIRTIO_BLK_F_BLK_SIZE) | VIRTIO_FEATURE(VIRTIO_BLK_F_FLUSH);
	struct virtio_blk *blk = calloc(1, sizeof(*blk));
	int ret;

	if (!blk)
		return ls_error_set(err, -ENOMEM, "no memory for disk %s", options->path);
	blk->read_only = options->read_only;
	blk->machine = options->machine;
	if (options->serial)
		memcpy(blk->serial, options->serial, strnlen(options->serial, sizeof(blk->serial)));
	ret = open_image(blk, options, err);
	if (ret == 0) {
		if (options->sectors)
			*options->sectors = blk->sectors;
		fill_config(blk);
		features |= options->read_only ? VIRTIO_FEATURE(VIRTIO_BLK_F_RO)
					       : VIRTIO_FEATURE(VIRTIO_BLK_F_DISCARD) |
							 VIRTIO_FEATURE(VIRTIO_BLK_F_WRITE_ZEROES);
		ret = virtio_add(&blk->device, &blk_type, features, bus, PCI_SLOT_AUTO, err);
	}
	if (ret < 0) {
		if (blk->fd >= 0)
			close(blk->fd);
		free(blk);
		return ret;
	}
	return (int)blk->device.pci.slot;
}
