// SPDX-License-Identifier: MIT
// Input through QEMU's D-Bus display.
#include "input/dbus_backend.h"

#include "input/backend_state.h"
#include "input/bus_connection.h"
#include "input/peer_words.h"

#include <fmt/format.h>
#include <linux/input-event-codes.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <vector>

namespace vgpuview {

namespace {

using namespace std::chrono_literals;

constexpr Nanoseconds firstPause = 250ms;
constexpr Nanoseconds longestPause = 10s;
/// Between a question that was not answered and the next: a bus may say so at once.
constexpr Nanoseconds silencePause = 1s;
constexpr std::size_t mostMotionUnanswered = 4;
constexpr std::size_t mostUnanswered = 2048;
constexpr std::size_t mostConsoles = 64;
constexpr std::uint32_t largestSide = 65536;

constexpr const char* busName = "org.qemu";
constexpr const char* vmPath = "/org/qemu/Display1/VM";
constexpr const char* vmInterface = "org.qemu.Display1.VM";
constexpr const char* consoleInterface = "org.qemu.Display1.Console";
constexpr const char* keyboardInterface = "org.qemu.Display1.Keyboard";
constexpr const char* mouseInterface = "org.qemu.Display1.Mouse";
constexpr const char* touchInterface = "org.qemu.Display1.MultiTouch";
constexpr const char* propertiesInterface = "org.freedesktop.DBus.Properties";

// org.qemu.Display1.Mouse.Press numbers them so; those past 6 are QEMU's InputButton.
enum class MouseButton : std::uint32_t {
    left = 0,
    middle = 1,
    right = 2,
    wheelUp = 3,
    wheelDown = 4,
    side = 5,
    extra = 6,
    wheelLeft = 7,
    wheelRight = 8,
};

std::optional<MouseButton> mouseButtonOf(std::uint32_t evdevCode) noexcept {
    switch (evdevCode) {
    case BTN_LEFT:
        return MouseButton::left;
    case BTN_MIDDLE:
        return MouseButton::middle;
    case BTN_RIGHT:
        return MouseButton::right;
    case BTN_SIDE:
    case BTN_BACK:
        return MouseButton::side;
    case BTN_EXTRA:
    case BTN_FORWARD:
        return MouseButton::extra;
    default:
        return {};
    }
}

std::string describe(const DisplayBus& display) {
    if (const auto* bus = std::get_if<DisplayBusAddress>(&display))
        return bus->address.empty() ? "D-Bus session bus" : fmt::format("D-Bus {}", bus->address);
    return "D-Bus socket";
}

} // namespace

class DbusBackend::Session final : private BusConnectionObserver {
public:
    Session(EventLoop& loop, Log& log, DisplayBus display, Nanoseconds answerTime)
        : loop_(loop)
        , log_(log)
        , display_(std::move(display))
        , answerTime_(answerTime)
        , state_(loop, log, describe(display_))
        , connectTimer_(loop.makeTimer([this] { connect(); }))
        , setUpTimer_(loop.makeTimer([this] { setUpTookTooLong(); }))
        , askTimer_(loop.makeTimer([this] { askAgain(); }))
        , connection_(loop, answerTime, *this) {
        connectTimer_->arm(loop_.now());
    }

    void key(const KeyMapping& key, KeyState state) {
        if (state_.ready())
            send(keyboardInterface, state == KeyState::pressed ? "Press" : "Release", std::uint32_t{key.qnum});
    }

    void pointer(const PointerChange& change) {
        if (!state_.ready() || mode_ == PointerMode::none)
            return;
        if (mode_ == PointerMode::absolute && change.place)
            send(mouseInterface, "SetAbsPosition", pixelOf(change.place->x, width_), pixelOf(change.place->y, height_));
        if (mode_ == PointerMode::relative && (change.dx != 0 || change.dy != 0))
            send(mouseInterface, "RelMotion", change.dx, change.dy);
        for (const ButtonChange& button : change.buttons)
            if (const auto number = mouseButtonOf(button.evdevCode))
                send(mouseInterface, button.state == ButtonState::pressed ? "Press" : "Release",
                     static_cast<std::uint32_t>(*number));
        click(change.wheelDown > 0 ? MouseButton::wheelDown : MouseButton::wheelUp, std::abs(change.wheelDown));
        click(change.wheelRight > 0 ? MouseButton::wheelRight : MouseButton::wheelLeft, std::abs(change.wheelRight));
    }

    void touch(const TouchChange& change) {
        if (!state_.ready())
            return;
        std::uint32_t kind = 0;
        if (change.phase == TouchPhase::update)
            kind = 1;
        else if (change.phase == TouchPhase::end)
            kind = 2;
        send(touchInterface, "SendEvent", kind, std::uint64_t{change.slot}, change.place.x * (width_ - 1.0),
             change.place.y * (height_ - 1.0));
    }

    [[nodiscard]] bool takesMotion() const noexcept { return inputsUnanswered_ < mostMotionUnanswered; }
    [[nodiscard]] bool takesTouch() const noexcept { return takesTouch_; }
    [[nodiscard]] BackendState& state() noexcept { return state_; }

    void drain(Nanoseconds longest) {
        const TimePoint end = loop_.now() + longest;
        while (connection_ && inputsUnanswered_ > 0 && loop_.now() < end) {
            connection_.pump();
            if (connection_ && inputsUnanswered_ > 0)
                connection_.wait(end - loop_.now());
        }
    }

private:
    using Handler = void (Session::*)(sd_bus_message*);

    template<Handler handler>
    static int handle(sd_bus_message* message, void* self, sd_bus_error*) noexcept {
        auto* session = static_cast<Session*>(self);
        try {
            (session->*handler)(message);
        } catch (...) {
            session->loop_.fail(std::current_exception());
        }
        return 0;
    }

    [[nodiscard]] bool onBus() const noexcept { return std::holds_alternative<DisplayBusAddress>(display_); }
    [[nodiscard]] const char* destination() const noexcept { return onBus() ? busName : nullptr; }

    [[nodiscard]] static std::uint32_t pixelOf(double part, std::uint32_t pixels) noexcept {
        return std::min(static_cast<std::uint32_t>(part * pixels), std::max(pixels, 1U) - 1);
    }

    void connect() {
        const auto* bus = std::get_if<DisplayBusAddress>(&display_);
        int result =
            bus != nullptr ? connection_.openBus(bus->address) : connection_.openPeer(std::get<UniqueFd>(display_));
        if (result >= 0 && onBus())
            result = sd_bus_match_signal_async(connection_.get(), nullptr, "org.freedesktop.DBus",
                                               "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameOwnerChanged",
                                               handle<&Session::nameOwnerChanged>, nullptr, this);
        if (result < 0) {
            connection_.close();
            connectionLost(std::generic_category().message(-result));
            return;
        }
        setUpTimer_->arm(loop_.now() + answerTime_);
        ask(vmPath, vmInterface, handle<&Session::vmAnswered>);
    }

    void connectionLost(std::string reason) override {
        setUpTimer_->disarm();
        askTimer_->disarm();
        consoles_.clear();
        console_.clear();
        inputsUnanswered_ = 0;
        answered_ = silent_ = takesTouch_ = false;
        mode_ = PointerMode::none;
        state_.set({.state = InputState::off, .reason = std::move(reason)}, mode_);
        if (onBus()) {
            connectTimer_->arm(loop_.now() + nextPause_);
            nextPause_ = std::min(2 * nextPause_, longestPause);
        }
    }

    void setUpTookTooLong() {
        silent_ = true;
        update();
    }

    void update() {
        if (silent_)
            state_.set({.state = InputState::off, .reason = "QEMU does not answer"}, mode_);
        else if (answered_)
            state_.set({.state = InputState::ready}, mode_);
    }

    void ask(const std::string& path, const char* interface, sd_bus_message_handler_t handler) {
        const int result = sd_bus_call_method_async(connection_.get(), nullptr, destination(), path.c_str(),
                                                    propertiesInterface, "GetAll", handler, this, "s", interface);
        if (result < 0)
            connection_.giveUp(result);
    }

    void askAgain() {
        if (console_.empty())
            ask(vmPath, vmInterface, handle<&Session::vmAnswered>);
        else
            ask(console_, mouseInterface, handle<&Session::mouseAnswered>);
    }

    // False: it is an error, which has been dealt with.
    bool good(sd_bus_message* answer) {
        if (sd_bus_message_is_method_error(answer, nullptr) == 0) {
            silent_ = false;
            return true;
        }
        if (!connection_.alive())
            return false; // the library's own answer to what is outstanding at the end
        if (isSilence(answer)) {
            silent_ = true;
            update();
            // Goes on asking, so that it is noticed when QEMU answers again.
            askTimer_->arm(loop_.now() + silencePause);
        } else {
            connection_.giveUp(refusalIn(answer));
        }
        return false;
    }

    static std::string refusalIn(sd_bus_message* answer) {
        const sd_bus_error* error = sd_bus_message_get_error(answer);
        const std::string words = peerWords(error != nullptr && error->message != nullptr ? error->message : "");
        return words.empty() ? "QEMU refuses" : words;
    }

    static bool isSilence(sd_bus_message* answer) {
        return sd_bus_message_is_method_error(answer, SD_BUS_ERROR_NO_REPLY) > 0 ||
               sd_bus_message_is_method_error(answer, SD_BUS_ERROR_TIMEOUT) > 0;
    }

    void vmAnswered(sd_bus_message* answer) {
        if (!good(answer))
            return;
        consoles_.clear();
        forEachProperty(answer, [&](std::string_view name) {
            const char* contents = nullptr;
            if (name != "ConsoleIDs" || sd_bus_message_peek_type(answer, nullptr, &contents) <= 0 ||
                contents == nullptr || std::strcmp(contents, "au") != 0) {
                sd_bus_message_skip(answer, "v");
                return;
            }
            sd_bus_message_enter_container(answer, 'v', "au");
            sd_bus_message_enter_container(answer, 'a', "u");
            std::uint32_t id = 0;
            while (sd_bus_message_read_basic(answer, 'u', &id) > 0)
                if (consoles_.size() < mostConsoles)
                    consoles_.push_back(id);
            sd_bus_message_exit_container(answer);
            sd_bus_message_exit_container(answer);
        });
        std::ranges::reverse(consoles_);
        askNextConsole();
    }

    void askNextConsole() {
        if (consoles_.empty()) {
            connection_.giveUp("the VM has no graphical console to take input");
            return;
        }
        console_ = fmt::format("/org/qemu/Display1/Console_{}", consoles_.back());
        consoles_.pop_back();
        ask(console_, consoleInterface, handle<&Session::consoleAnswered>);
    }

    void consoleAnswered(sd_bus_message* answer) {
        if (!good(answer))
            return;
        const char* type = "";
        forEachProperty(answer, [&](std::string_view name) {
            if (name == "Type")
                readVariant(answer, 's', type);
            else if (name == "Width")
                readVariant(answer, 'u', width_);
            else if (name == "Height")
                readVariant(answer, 'u', height_);
            else
                sd_bus_message_skip(answer, "v");
        });
        width_ = std::clamp(width_, 1U, largestSide);
        height_ = std::clamp(height_, 1U, largestSide);
        if (answered_)
            return;
        if (std::strcmp(type, "Graphic") != 0) {
            askNextConsole();
            return;
        }
        const int result =
            sd_bus_match_signal_async(connection_.get(), nullptr, destination(), console_.c_str(), propertiesInterface,
                                      "PropertiesChanged", handle<&Session::propertiesChanged>, nullptr, this);
        if (result < 0)
            connection_.giveUp(result);
        ask(console_, touchInterface, handle<&Session::touchAnswered>);
        ask(console_, mouseInterface, handle<&Session::mouseAnswered>);
    }

    void touchAnswered(sd_bus_message* answer) {
        if (sd_bus_message_is_method_error(answer, nullptr) > 0)
            return; // QEMU before 8.1 has none
        std::int32_t slots = 0;
        forEachProperty(answer, [&](std::string_view name) {
            if (name == "MaxSlots")
                readVariant(answer, 'i', slots);
            else
                sd_bus_message_skip(answer, "v");
        });
        takesTouch_ = slots >= static_cast<std::int32_t>(fingers);
    }

    void mouseAnswered(sd_bus_message* answer) {
        if (!good(answer))
            return;
        int absolute = 0;
        forEachProperty(answer, [&](std::string_view name) {
            if (name == "IsAbsolute")
                readVariant(answer, 'b', absolute);
            else
                sd_bus_message_skip(answer, "v");
        });
        mode_ = absolute != 0 ? PointerMode::absolute : PointerMode::relative;
        answered_ = true;
        nextPause_ = firstPause;
        setUpTimer_->disarm();
        update();
    }

    void propertiesChanged(sd_bus_message*) {
        ask(console_, consoleInterface, handle<&Session::consoleAnswered>);
        ask(console_, mouseInterface, handle<&Session::mouseAnswered>);
    }

    void nameOwnerChanged(sd_bus_message* signal) {
        const char* name = nullptr;
        const char* before = nullptr;
        const char* now = nullptr;
        if (sd_bus_message_read(signal, "sss", &name, &before, &now) >= 0 && std::strcmp(name, busName) == 0)
            connection_.giveUp(*now == '\0' ? "QEMU has left the bus" : "another QEMU is on the bus");
    }

    template<typename... Arguments>
    void send(const char* interface, const char* member, Arguments... arguments) {
        if (inputsUnanswered_ >= mostUnanswered) {
            connection_.giveUp("QEMU does not answer");
            return;
        }
        sd_bus_message* made = nullptr;
        int result = sd_bus_message_new_method_call(connection_.get(), &made, destination(), console_.c_str(),
                                                    interface, member);
        const BusMessage message(made);
        if (result >= 0)
            (append(made, result, arguments), ...);
        if (result >= 0)
            result = sd_bus_call_async(connection_.get(), nullptr, made, handle<&Session::inputAnswered>, this, 0);
        if (result < 0)
            connection_.giveUp(result);
        else
            ++inputsUnanswered_;
    }

    static void append(sd_bus_message* message, int& result, std::uint32_t value) { add(message, result, 'u', &value); }
    static void append(sd_bus_message* message, int& result, std::int32_t value) { add(message, result, 'i', &value); }
    static void append(sd_bus_message* message, int& result, std::uint64_t value) { add(message, result, 't', &value); }
    static void append(sd_bus_message* message, int& result, double value) { add(message, result, 'd', &value); }
    static void add(sd_bus_message* message, int& result, char type, const void* value) {
        if (result >= 0)
            result = sd_bus_message_append_basic(message, type, value);
    }

    void click(MouseButton button, std::int32_t count) {
        for (std::int32_t i = 0; i < count; ++i) {
            send(mouseInterface, "Press", static_cast<std::uint32_t>(button));
            send(mouseInterface, "Release", static_cast<std::uint32_t>(button));
        }
    }

    void inputAnswered(sd_bus_message* answer) {
        if (inputsUnanswered_ > 0 && --inputsUnanswered_ == mostMotionUnanswered - 1)
            state_.motionTaken();
        if (sd_bus_message_is_method_error(answer, nullptr) == 0) {
            lastRefusal_.clear();
            return;
        }
        if (isSilence(answer)) {
            if (!silent_)
                good(answer);
            return;
        }
        const std::string words = refusalIn(answer);
        if (words == lastRefusal_)
            return;
        lastRefusal_ = words;
        log_.warning("the guest did not take an input event: {}", words);
        propertiesChanged(answer);
    }

    EventLoop& loop_;
    Log& log_;
    DisplayBus display_;
    Nanoseconds answerTime_;
    BackendState state_;
    std::unique_ptr<Timer> connectTimer_;
    std::unique_ptr<Timer> setUpTimer_;
    std::unique_ptr<Timer> askTimer_;
    Nanoseconds nextPause_ = firstPause;
    std::vector<std::uint32_t> consoles_; ///< still to be looked at, the next one last
    std::string console_;
    std::uint32_t width_ = 1;
    std::uint32_t height_ = 1;
    PointerMode mode_ = PointerMode::none;
    bool answered_ = false;
    bool silent_ = false;
    bool takesTouch_ = false;
    std::size_t inputsUnanswered_ = 0;
    std::string lastRefusal_;
    BusConnection connection_;
};

DbusBackend::DbusBackend(EventLoop& loop, Log& log, DisplayBus display, Nanoseconds answerTime)
    : session_(std::make_unique<Session>(loop, log, std::move(display), answerTime)) {}

DbusBackend::~DbusBackend() = default;

void DbusBackend::key(const KeyMapping& key, KeyState state) {
    session_->key(key, state);
}
void DbusBackend::pointer(const PointerChange& change) {
    session_->pointer(change);
}
void DbusBackend::touch(const TouchChange& change) {
    session_->touch(change);
}
bool DbusBackend::takesMotion() const noexcept {
    return session_->takesMotion();
}
bool DbusBackend::takesTouch() const noexcept {
    return session_->takesTouch();
}
void DbusBackend::drain(Nanoseconds longest) {
    session_->drain(longest);
}
PointerMode DbusBackend::pointerMode() const noexcept {
    return session_->state().pointerMode();
}
const InputStatus& DbusBackend::status() const noexcept {
    return session_->state().status();
}
const std::string& DbusBackend::description() const noexcept {
    return session_->state().description();
}
void DbusBackend::observe(InputBackendObserver* observer) noexcept {
    session_->state().observe(observer);
}

} // namespace vgpuview
