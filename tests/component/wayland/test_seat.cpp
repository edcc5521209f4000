// SPDX-License-Identifier: MIT
// The test compositor's seat: a user of the test's own at keyboard, pointer and touch screen.
#include "component/wayland/test_seat.h"

#include "base/unique_fd.h"
#include "pointer-constraints-v1-server-protocol.h"
#include "relative-pointer-v1-server-protocol.h"
#include "shortcuts-inhibit-v1-server-protocol.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace vgpuview::testing_wayland {

namespace {

void destroyResource(wl_client*, wl_resource* resource) {
    wl_resource_destroy(resource);
}
template<typename... Args>
void ignore(wl_client*, wl_resource*, Args...) {}

TestSeat* seatOf(wl_resource* resource) {
    return static_cast<TestSeat*>(wl_resource_get_user_data(resource));
}

struct Codes {
    explicit Codes(const std::vector<std::uint32_t>& codes) {
        wl_array_init(&array);
        for (const std::uint32_t code : codes)
            std::memcpy(wl_array_add(&array, sizeof code), &code, sizeof code);
    }
    Codes(const Codes&) = delete;
    Codes& operator=(const Codes&) = delete;
    ~Codes() { wl_array_release(&array); }
    wl_array array{};
};

} // namespace

/// The requests of the seat's protocols.
struct TestSeatRequests {
    /// A resource that the seat remembers until it is destroyed.
    template<wl_resource* TestSeat::*member>
    static wl_resource* remember(TestSeat& seat, wl_client* client, const wl_interface& interface, int version,
                                 std::uint32_t id, const void* implementation) {
        wl_resource* resource = wl_resource_create(client, &interface, version, id);
        wl_resource_set_implementation(resource, implementation, &seat, [](wl_resource* gone) {
            if (seatOf(gone)->*member == gone)
                seatOf(gone)->*member = nullptr;
        });
        seat.*member = resource;
        return resource;
    }

    static void setCursor(wl_client*, wl_resource* pointer, std::uint32_t serial, wl_resource* surface, std::int32_t x,
                          std::int32_t y) {
        TestSeat& seat = *seatOf(pointer);
        if (serial != seat.enterSerial_) {
            // One that crossed a later enter on its way is left out, as compositors do.
            if (std::ranges::find(seat.pastEnterSerials_, serial) == seat.pastEnterSerials_.end())
                wl_resource_post_error(pointer, WL_POINTER_ERROR_ROLE, "the serial is not that of an enter");
            return;
        }
        seat.cursor_ = {.surface = surface, .hotSpot = {x, y}, .calls = seat.cursor_.calls + 1};
    }

    static void getKeyboard(wl_client* client, wl_resource* seat, std::uint32_t id);
    static void getPointer(wl_client* client, wl_resource* seat, std::uint32_t id);
    static void getTouch(wl_client* client, wl_resource* seat, std::uint32_t id);
    static void getRelative(wl_client* client, wl_resource* manager, std::uint32_t id, wl_resource* pointer);
    static void lock(wl_client* client, wl_resource* constraints, std::uint32_t id, wl_resource* surface,
                     wl_resource* pointer, wl_resource* region, std::uint32_t lifetime);
    static void confine(wl_client* client, wl_resource* constraints, std::uint32_t id, wl_resource* surface,
                        wl_resource* pointer, wl_resource* region, std::uint32_t lifetime);
    static void inhibit(wl_client* client, wl_resource* manager, std::uint32_t id, wl_resource* surface,
                        wl_resource* seat);
    static bool alreadyConstrained(const TestSeat& seat, wl_resource* constraints) {
        if (seat.lock_ == nullptr && seat.confinement_ == nullptr)
            return false;
        wl_resource_post_error(constraints, ZWP_POINTER_CONSTRAINTS_V1_ERROR_ALREADY_CONSTRAINED, "one at a time");
        return true;
    }
    static void bindSeat(wl_client* client, void* data, std::uint32_t version, std::uint32_t id);
};

namespace {

const struct wl_keyboard_interface keyboardRequests { .release = destroyResource };
const struct wl_pointer_interface pointerRequests {
    .set_cursor = TestSeatRequests::setCursor, .release = destroyResource
};
const struct wl_touch_interface touchRequests { .release = destroyResource };
const struct wl_seat_interface seatRequests {
    .get_pointer = TestSeatRequests::getPointer, .get_keyboard = TestSeatRequests::getKeyboard,
    .get_touch = TestSeatRequests::getTouch, .release = destroyResource
};
const struct zwp_relative_pointer_v1_interface relativeRequests { .destroy = destroyResource };
const struct zwp_relative_pointer_manager_v1_interface relativeManagerRequests {
    .destroy = destroyResource, .get_relative_pointer = TestSeatRequests::getRelative
};
const struct zwp_locked_pointer_v1_interface lockRequests {
    .destroy = destroyResource, .set_cursor_position_hint = ignore, .set_region = ignore
};
const struct zwp_confined_pointer_v1_interface confinementRequests { .destroy = destroyResource, .set_region = ignore };
const struct zwp_pointer_constraints_v1_interface constraintRequests {
    .destroy = destroyResource, .lock_pointer = TestSeatRequests::lock, .confine_pointer = TestSeatRequests::confine
};
const struct zwp_keyboard_shortcuts_inhibitor_v1_interface inhibitorRequests { .destroy = destroyResource };
const struct zwp_keyboard_shortcuts_inhibit_manager_v1_interface inhibitRequests {
    .destroy = destroyResource, .inhibit_shortcuts = TestSeatRequests::inhibit
};

template<const wl_interface& interface, const auto& requests>
void addManager(wl_display* display, TestSeat* seat) {
    wl_global_create(
        display, &interface, 1, seat, [](wl_client* client, void* data, std::uint32_t version, std::uint32_t id) {
            wl_resource_set_implementation(wl_resource_create(client, &interface, static_cast<int>(version), id),
                                           &requests, data, nullptr);
        });
}

} // namespace

void TestSeatRequests::getKeyboard(wl_client* client, wl_resource* seat, std::uint32_t id) {
    wl_resource* keyboard = remember<&TestSeat::keyboard_>(*seatOf(seat), client, wl_keyboard_interface,
                                                           wl_resource_get_version(seat), id, &keyboardRequests);
    const UniqueFd keymap(::memfd_create("keymap", MFD_CLOEXEC));
    wl_keyboard_send_keymap(keyboard, WL_KEYBOARD_KEYMAP_FORMAT_NO_KEYMAP, keymap.get(), 0);
}
void TestSeatRequests::getPointer(wl_client* client, wl_resource* seat, std::uint32_t id) {
    remember<&TestSeat::pointer_>(*seatOf(seat), client, wl_pointer_interface, wl_resource_get_version(seat), id,
                                  &pointerRequests);
}
void TestSeatRequests::getTouch(wl_client* client, wl_resource* seat, std::uint32_t id) {
    remember<&TestSeat::touch_>(*seatOf(seat), client, wl_touch_interface, wl_resource_get_version(seat), id,
                                &touchRequests);
}
void TestSeatRequests::getRelative(wl_client* client, wl_resource* manager, std::uint32_t id, wl_resource*) {
    remember<&TestSeat::relative_>(*seatOf(manager), client, zwp_relative_pointer_v1_interface, 1, id,
                                   &relativeRequests);
}
void TestSeatRequests::lock(wl_client* client, wl_resource* constraints, std::uint32_t id, wl_resource*, wl_resource*,
                            wl_resource*, std::uint32_t) {
    if (!alreadyConstrained(*seatOf(constraints), constraints))
        remember<&TestSeat::lock_>(*seatOf(constraints), client, zwp_locked_pointer_v1_interface, 1, id, &lockRequests);
}
void TestSeatRequests::confine(wl_client* client, wl_resource* constraints, std::uint32_t id, wl_resource*,
                               wl_resource*, wl_resource*, std::uint32_t) {
    if (!alreadyConstrained(*seatOf(constraints), constraints))
        remember<&TestSeat::confinement_>(*seatOf(constraints), client, zwp_confined_pointer_v1_interface, 1, id,
                                          &confinementRequests);
}
void TestSeatRequests::inhibit(wl_client* client, wl_resource* manager, std::uint32_t id, wl_resource*, wl_resource*) {
    if (seatOf(manager)->inhibitor_ != nullptr) {
        wl_resource_post_error(manager, ZWP_KEYBOARD_SHORTCUTS_INHIBIT_MANAGER_V1_ERROR_ALREADY_INHIBITED, "twice");
        return;
    }
    remember<&TestSeat::inhibitor_>(*seatOf(manager), client, zwp_keyboard_shortcuts_inhibitor_v1_interface, 1, id,
                                    &inhibitorRequests);
}
void TestSeatRequests::bindSeat(wl_client* client, void* data, std::uint32_t version, std::uint32_t id) {
    auto& seat = *static_cast<TestSeat*>(data);
    wl_seat_send_capabilities(
        remember<&TestSeat::seat_>(seat, client, wl_seat_interface, static_cast<int>(version), id, &seatRequests),
        seat.options_.capabilities);
}

TestSeat::TestSeat(wl_display* display, SeatOptions options, std::function<wl_resource*(std::size_t)> surfaces)
    : options_(options)
    , surfaces_(std::move(surfaces)) {
    wl_global_create(
        display, &wl_seat_interface,
        static_cast<int>(std::min(options_.version, static_cast<std::uint32_t>(wl_seat_interface.version))), this,
        TestSeatRequests::bindSeat);
    if (options_.pointerConstraints) {
        addManager<zwp_relative_pointer_manager_v1_interface, relativeManagerRequests>(display, this);
        addManager<zwp_pointer_constraints_v1_interface, constraintRequests>(display, this);
    }
    if (options_.shortcutsInhibit)
        addManager<zwp_keyboard_shortcuts_inhibit_manager_v1_interface, inhibitRequests>(display, this);
}

void TestSeat::offer(std::uint32_t capabilities) {
    wl_seat_send_capabilities(seat_, capabilities);
}

void TestSeat::keyboardEnter(const std::vector<std::uint32_t>& held) {
    Codes codes(held);
    wl_keyboard_send_enter(keyboard_, ++serial_, surface(), &codes.array);
}
void TestSeat::keyboardLeave() {
    wl_keyboard_send_leave(keyboard_, ++serial_, surface());
}
void TestSeat::key(std::uint32_t code, bool pressed) {
    wl_keyboard_send_key(keyboard_, ++serial_, 0, code,
                         pressed ? WL_KEYBOARD_KEY_STATE_PRESSED : WL_KEYBOARD_KEY_STATE_RELEASED);
}

void TestSeat::pointerEnter(double x, double y) {
    pastEnterSerials_.push_back(enterSerial_);
    enterSerial_ = ++serial_;
    wl_pointer_send_enter(pointer_, enterSerial_, surface(), wl_fixed_from_double(x), wl_fixed_from_double(y));
    pointerFrame();
}
void TestSeat::pointerLeave() {
    wl_pointer_send_leave(pointer_, ++serial_, surface());
    pointerFrame();
}
void TestSeat::move(double x, double y) {
    wl_pointer_send_motion(pointer_, 0, wl_fixed_from_double(x), wl_fixed_from_double(y));
}
void TestSeat::moveBy(double dx, double dy) {
    if (relative_ != nullptr) // what acceleration makes of it is another matter
        zwp_relative_pointer_v1_send_relative_motion(relative_, 0, 0, wl_fixed_from_double(3 * dx),
                                                     wl_fixed_from_double(3 * dy), wl_fixed_from_double(dx),
                                                     wl_fixed_from_double(dy));
}
void TestSeat::button(std::uint32_t code, bool pressed) {
    wl_pointer_send_button(pointer_, ++serial_, 0, code,
                           pressed ? WL_POINTER_BUTTON_STATE_PRESSED : WL_POINTER_BUTTON_STATE_RELEASED);
}
void TestSeat::axis(std::uint32_t which, double distance) {
    wl_pointer_send_axis(pointer_, 0, which, wl_fixed_from_double(distance));
}
void TestSeat::axisDiscrete(std::uint32_t which, std::int32_t clicks) {
    wl_pointer_send_axis_discrete(pointer_, which, clicks);
}
void TestSeat::axisValue120(std::uint32_t which, std::int32_t value) {
    wl_pointer_send_axis_value120(pointer_, which, value);
}
void TestSeat::pointerFrame() {
    if (wl_resource_get_version(pointer_) >= WL_POINTER_FRAME_SINCE_VERSION)
        wl_pointer_send_frame(pointer_);
}

void TestSeat::touchDown(std::int32_t id, double x, double y) {
    wl_touch_send_down(touch_, ++serial_, 0, surface(), id, wl_fixed_from_double(x), wl_fixed_from_double(y));
}
void TestSeat::touchMove(std::int32_t id, double x, double y) {
    wl_touch_send_motion(touch_, 0, id, wl_fixed_from_double(x), wl_fixed_from_double(y));
}
void TestSeat::touchUp(std::int32_t id) {
    wl_touch_send_up(touch_, ++serial_, 0, id);
}
void TestSeat::touchFrame() {
    wl_touch_send_frame(touch_);
}
void TestSeat::touchCancel() {
    wl_touch_send_cancel(touch_);
}

void TestSeat::activateConstraint() {
    if (lock_ != nullptr)
        zwp_locked_pointer_v1_send_locked(lock_);
    if (confinement_ != nullptr)
        zwp_confined_pointer_v1_send_confined(confinement_);
}
void TestSeat::endConstraint() {
    if (lock_ != nullptr)
        zwp_locked_pointer_v1_send_unlocked(lock_);
    if (confinement_ != nullptr)
        zwp_confined_pointer_v1_send_unconfined(confinement_);
}

void TestSeat::surfaceGone(const wl_resource* surface) {
    if (cursor_.surface == surface)
        cursor_.surface = nullptr;
}

} // namespace vgpuview::testing_wayland
