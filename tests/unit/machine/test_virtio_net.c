/* SPDX-License-Identifier: Apache-2.0 */
/* virtio 1.2, 5.1: the network card, first on a wire that the test holds, then on libslirp's
 * user network with frames laid out by RFC 826, 792 and 2131. */
#include "../check.h"
#include "machine/virtio_net.h"
#include "virtio_rig.h"

#include <linux/virtio_net.h>

#define RECEIVE_RINGS  0x1000u
#define TRANSMIT_RINGS 0x2000u
#define FRAME          0x8000u
#define BUFFERS        0x10000u
#define BUFFER_SIZE    2048u
#define HEADER         12u /* 5.1.6: with num_buffers */

struct wire {
	struct net_backend backend;
	uint8_t frame[2048];
	size_t len;
	unsigned int sent;
};

struct fixture {
	struct rig *rig;
	struct wire *wire;
	struct driver driver;
	struct driver_queue receive, transmit;
};

static unsigned int wires_destroyed;

static void wire_send(struct net_backend *backend, const uint8_t *frame, size_t len)
{
	struct wire *wire = (struct wire *)backend;

	memcpy(wire->frame, frame, len);
	wire->len = len;
	wire->sent++;
}

static void wire_destroy(struct net_backend *backend)
{
	wires_destroyed++;
	free(backend);
}

static const struct net_backend_ops wire_ops = {.send = wire_send, .destroy = wire_destroy};

static const uint8_t guest_mac[6] = {0x52, 0x54, 0x00, 0xab, 0xcd, 0xef};

static void start_on(struct fixture *f, struct net_backend *backend)
{
	struct virtio_net_options options = {.backend = backend};

	memcpy(options.mac, guest_mac, 6);
	CU_ASSERT_EQUAL_FATAL(virtio_net_create(f->rig->bus, &options, NULL), 0);
	pci_reset(f->rig->bus);
	pci_assign(f->rig->bus);
	f->driver = driver_probe(f->rig, 1);
	CU_ASSERT_TRUE_FATAL(driver_negotiate(&f->driver, 1ull << VIRTIO_NET_F_MAC |
								  1ull << VIRTIO_NET_F_STATUS));
	f->receive = driver_queue(&f->driver, 0, 16, RECEIVE_RINGS);
	f->transmit = driver_queue(&f->driver, 1, 16, TRANSMIT_RINGS);
	driver_set_status(&f->driver, STATUS_3);
}

static void start(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	f->rig = rig_create();
	f->wire = calloc(1, sizeof(*f->wire));
	f->wire->backend.ops = &wire_ops;
	start_on(f, &f->wire->backend);
}

static void start_slirp(struct fixture *f)
{
	struct net_backend *backend;

	memset(f, 0, sizeof(*f));
	f->rig = rig_create();
	backend = net_slirp_create(&f->rig->clock, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(backend);
	start_on(f, backend);
}

/* Offers receive buffer @at, with the header in a descriptor of its own. */
static void offer_buffer(struct fixture *f, unsigned int at, uint32_t size)
{
	uint64_t gpa = BUFFERS + at * BUFFER_SIZE;

	queue_desc(&f->receive, 2 * at, gpa, HEADER, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE,
		   (uint16_t)(2 * at + 1));
	queue_desc(&f->receive, 2 * at + 1, gpa + HEADER, size - HEADER, VRING_DESC_F_WRITE, 0);
	queue_offer(&f->receive, (uint16_t)(2 * at));
	queue_kick(&f->receive);
}

static void transmit(struct fixture *f, const uint8_t *frame, uint32_t len)
{
	uint32_t id, used;

	memset(f->rig->memory + FRAME, 0, HEADER);
	put(f->rig, FRAME + HEADER, frame, len);
	queue_desc(&f->transmit, 0, FRAME, HEADER + len, 0, 0);
	queue_offer(&f->transmit, 0);
	queue_kick(&f->transmit);
	CU_ASSERT_TRUE(queue_take(&f->transmit, &id, &used));
	CHECK_EQUAL(used, 0);
}

/* The next received frame; NULL if there is none. */
static const uint8_t *take_frame(struct fixture *f, uint32_t *len)
{
	uint32_t id;
	uint64_t gpa;

	if (!queue_take(&f->receive, &id, len))
		return NULL;
	gpa = BUFFERS + id / 2 * BUFFER_SIZE;
	/* 5.1.6.4.1: num_buffers is 1 without mergeable buffers; no flags without checksums. */
	CHECK_EQUAL(get16(f->rig, gpa + 10), 1);
	CHECK_EQUAL(f->rig->memory[gpa], 0);
	CHECK_EQUAL(f->rig->memory[gpa + 1], VIRTIO_NET_HDR_GSO_NONE);
	CU_ASSERT_FATAL(*len > HEADER);
	*len -= HEADER;
	return f->rig->memory + gpa + HEADER;
}

/* 5.1.4: MAC address and link status. */
static void test_config(void)
{
	struct fixture f;
	unsigned int i;

	start(&f);
	CHECK_EQUAL(rig_config_read(f.rig, 1, PCI_DEVICE_ID, 2), 0x1041);
	for (i = 0; i < 6; i++)
		CHECK_EQUAL(bus_read(&f.rig->mmio, f.driver.device + i, 1), guest_mac[i]);
	CHECK_EQUAL(bus_read(&f.rig->mmio, f.driver.device + 6, 2), VIRTIO_NET_S_LINK_UP);
	wires_destroyed = 0;
	rig_destroy(f.rig);
	CHECK_EQUAL(wires_destroyed, 1);
}

static void fill(uint8_t *frame, unsigned int len, uint8_t seed)
{
	unsigned int i;

	for (i = 0; i < len; i++)
		frame[i] = (uint8_t)(seed + i);
}

/* 5.1.6.2: header and frame; the header is not part of what goes out. */
static void test_transmit(void)
{
	struct fixture f;
	uint8_t frame[1600];

	start(&f);
	fill(frame, sizeof(frame), 3);
	transmit(&f, frame, 60);
	CHECK_EQUAL(f.wire->len, 60);
	CU_ASSERT_EQUAL(memcmp(f.wire->frame, frame, 60), 0);
	transmit(&f, frame, 1514);
	CHECK_EQUAL(f.wire->len, 1514);
	/* Neither a runt nor a giant is a frame: lost, the buffer comes back. */
	transmit(&f, frame, 13);
	transmit(&f, frame, 1600);
	CHECK_EQUAL(f.wire->sent, 2);
	CHECK_EQUAL(driver_status(&f.driver), STATUS_3);
	/* Not even a header: the driver is broken. */
	queue_desc(&f.transmit, 0, FRAME, HEADER - 1, 0, 0);
	queue_offer(&f.transmit, 0);
	queue_kick(&f.transmit);
	CU_ASSERT_TRUE(driver_status(&f.driver) & VIRTIO_CONFIG_S_NEEDS_RESET);
	rig_destroy(f.rig);
}

/* 5.1.6.4: frames wait for buffers, in order; a buffer that is too short is not used. */
static void test_receive(void)
{
	struct fixture f;
	const uint8_t *got;
	uint8_t frame[1514];
	uint32_t len;

	start(&f);
	fill(frame, sizeof(frame), 9);
	f.wire->backend.receive(f.wire->backend.opaque, frame, 60);
	f.wire->backend.receive(f.wire->backend.opaque, frame, 1514);
	CU_ASSERT_PTR_NULL(take_frame(&f, &len));
	offer_buffer(&f, 0, BUFFER_SIZE);
	got = take_frame(&f, &len);
	CU_ASSERT_PTR_NOT_NULL_FATAL(got);
	CHECK_EQUAL(len, 60);
	CU_ASSERT_EQUAL(memcmp(got, frame, 60), 0);
	CU_ASSERT_PTR_NULL(take_frame(&f, &len));
	/* The long one is lost on a short buffer, which still takes the next. */
	offer_buffer(&f, 1, 128);
	CU_ASSERT_PTR_NULL(take_frame(&f, &len));
	f.wire->backend.receive(f.wire->backend.opaque, frame, 64);
	CU_ASSERT_PTR_NOT_NULL(take_frame(&f, &len));
	CHECK_EQUAL(len, 64);
	rig_destroy(f.rig);
}

/* A guest that takes nothing costs a bounded number of frames; without a driver none wait. */
static void test_flood(void)
{
	struct fixture f;
	uint8_t frame[60] = {0};
	unsigned int i, got = 0;
	uint32_t len;

	start(&f);
	for (i = 0; i < 10000; i++)
		f.wire->backend.receive(f.wire->backend.opaque, frame, sizeof(frame));
	for (i = 0; i < 1000; i++) {
		offer_buffer(&f, 0, BUFFER_SIZE);
		if (!take_frame(&f, &len))
			break;
		got++;
	}
	CU_ASSERT(got >= 1 && got < 1000);
	CU_ASSERT_TRUE(driver_negotiate(&f.driver, 0));
	f.wire->backend.receive(f.wire->backend.opaque, frame, sizeof(frame));
	f.receive = driver_queue(&f.driver, 0, 16, RECEIVE_RINGS);
	memset(f.rig->memory + RECEIVE_RINGS, 0, 0x1000);
	driver_set_status(&f.driver, STATUS_3);
	offer_buffer(&f, 0, BUFFER_SIZE);
	CU_ASSERT_PTR_NULL(take_frame(&f, &len));
	rig_destroy(f.rig);
}

/* --- libslirp --- */

static const uint8_t guest_ip[4] = {10, 0, 2, 15};
static const uint8_t host_ip[4] = {10, 0, 2, 2};

static uint16_t checksum(const uint8_t *bytes, unsigned int len)
{
	uint32_t sum = 0;
	unsigned int i;

	for (i = 0; i < len; i++)
		sum += i & 1 ? bytes[i] : (uint32_t)bytes[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void set_be16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* RFC 826: who has 10.0.2.2? Leaves the answer's hardware address in @mac. */
static void resolve_host(struct fixture *f, uint8_t *mac)
{
	uint8_t request[42] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, [12] = 0x08, 0x06,
			       0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00,        0x01};
	const uint8_t *reply;
	uint32_t len;

	memcpy(request + 6, guest_mac, 6);
	memcpy(request + 22, guest_mac, 6);
	memcpy(request + 28, guest_ip, 4);
	memcpy(request + 38, host_ip, 4);
	offer_buffer(f, 0, BUFFER_SIZE);
	transmit(f, request, sizeof(request));
	reply = take_frame(f, &len);
	CU_ASSERT_PTR_NOT_NULL_FATAL(reply);
	CU_ASSERT(len >= sizeof(request));
	CU_ASSERT_EQUAL(memcmp(reply, guest_mac, 6), 0);
	CHECK_EQUAL(reply[21], 2); /* reply */
	CU_ASSERT_EQUAL(memcmp(reply + 28, host_ip, 4), 0);
	memcpy(mac, reply + 22, 6);
}

static void ip_header(uint8_t *ip, uint16_t len, uint8_t protocol, const uint8_t *from,
		      const uint8_t *to)
{
	ip[0] = 0x45;
	set_be16(ip + 2, len);
	ip[8] = 64;
	ip[9] = protocol;
	memcpy(ip + 12, from, 4);
	memcpy(ip + 16, to, 4);
	set_be16(ip + 10, checksum(ip, 20));
}

/* RFC 792: the gateway answers an echo request, at the moment it is sent. */
static void test_ping(void)
{
	static const uint8_t payload[8] = "lockstep";
	uint8_t frame[14 + 20 + 8 + 8] = {[12] = 0x08, 0x00};
	uint8_t *icmp = frame + 34;
	const uint8_t *reply;
	struct fixture f;
	uint32_t len;

	start_slirp(&f);
	resolve_host(&f, frame);
	memcpy(frame + 6, guest_mac, 6);
	ip_header(frame + 14, sizeof(frame) - 14, 1, guest_ip, host_ip);
	icmp[0] = 8;
	set_be16(icmp + 4, 0x1234);
	set_be16(icmp + 6, 7);
	memcpy(icmp + 8, payload, sizeof(payload));
	set_be16(icmp + 2, checksum(icmp, 16));
	offer_buffer(&f, 1, BUFFER_SIZE);
	transmit(&f, frame, sizeof(frame));
	reply = take_frame(&f, &len);
	CU_ASSERT_PTR_NOT_NULL_FATAL(reply);
	CU_ASSERT(len >= sizeof(frame));
	CU_ASSERT_EQUAL(memcmp(reply, guest_mac, 6), 0);
	CU_ASSERT_EQUAL(memcmp(reply + 14 + 12, host_ip, 4), 0);
	CU_ASSERT_EQUAL(memcmp(reply + 14 + 16, guest_ip, 4), 0);
	CHECK_EQUAL(reply[34], 0); /* echo reply */
	CU_ASSERT_EQUAL(memcmp(reply + 38, icmp + 4, 12), 0);
	CHECK_EQUAL(checksum(reply + 34, 16), 0);
	rig_destroy(f.rig);
}

/* RFC 2131: a DISCOVER is answered by an OFFER of 10.0.2.15 from 10.0.2.2. */
static void test_dhcp(void)
{
	uint8_t frame[14 + 20 + 8 + 300] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, [12] = 0x08, 0x00};
	static const uint8_t none[4], all[4] = {255, 255, 255, 255};
	static const uint8_t options[] = {0x63, 0x82, 0x53, 0x63, 53, 1, 1, 255};
	uint8_t *udp = frame + 34, *bootp = frame + 42;
	const uint8_t *reply;
	struct fixture f;
	uint32_t len;

	start_slirp(&f);
	memcpy(frame + 6, guest_mac, 6);
	ip_header(frame + 14, sizeof(frame) - 14, 17, none, all);
	set_be16(udp, 68);
	set_be16(udp + 2, 67);
	set_be16(udp + 4, 308);
	bootp[0] = 1;
	bootp[1] = 1;
	bootp[2] = 6;
	memcpy(bootp + 4, "\x11\x22\x33\x44", 4);
	memcpy(bootp + 28, guest_mac, 6);
	memcpy(bootp + 236, options, sizeof(options));
	offer_buffer(&f, 0, BUFFER_SIZE);
	transmit(&f, frame, sizeof(frame));
	reply = take_frame(&f, &len);
	CU_ASSERT_PTR_NOT_NULL_FATAL(reply);
	CU_ASSERT_FATAL(len > 42 + 240);
	CHECK_EQUAL(reply[42], 2); /* BOOTREPLY */
	CU_ASSERT_EQUAL(memcmp(reply + 42 + 4, "\x11\x22\x33\x44", 4), 0);
	CU_ASSERT_EQUAL(memcmp(reply + 42 + 16, guest_ip, 4), 0);
	CU_ASSERT_EQUAL(memcmp(reply + 26, host_ip, 4), 0);
	CU_ASSERT_EQUAL(memcmp(reply + 42 + 240, "\x35\x01\x02", 3), 0); /* type: OFFER */
	rig_destroy(f.rig);
}

static CU_TestInfo tests[] = {
	{"configuration (virtio 1.2, 5.1.4)", test_config},
	{"transmit (virtio 1.2, 5.1.6.2)", test_transmit},
	{"receive (virtio 1.2, 5.1.6.4)", test_receive},
	{"a flood", test_flood},
	{"user network: ARP and ping (RFC 826, 792)", test_ping},
	{"user network: DHCP (RFC 2131)", test_dhcp},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("virtio net", tests)
