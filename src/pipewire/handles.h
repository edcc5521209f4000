// SPDX-License-Identifier: MIT
// Owned libpipewire objects. Destroying one takes all listeners off it, so a hook needs no removal: it is declared
// before the object it listens to.
#pragma once

#include <pipewire/pipewire.h>

#include <memory>

namespace vgpuview {

struct PipeWireDeleter {
    void operator()(pw_loop* loop) const noexcept { pw_loop_destroy(loop); }
    void operator()(pw_context* context) const noexcept { pw_context_destroy(context); }
    void operator()(pw_core* core) const noexcept { pw_core_disconnect(core); }
    void operator()(pw_registry* registry) const noexcept { pw_proxy_destroy(reinterpret_cast<pw_proxy*>(registry)); }
    void operator()(pw_node* node) const noexcept { pw_proxy_destroy(reinterpret_cast<pw_proxy*>(node)); }
    void operator()(pw_port* port) const noexcept { pw_proxy_destroy(reinterpret_cast<pw_proxy*>(port)); }
    void operator()(pw_stream* stream) const noexcept { pw_stream_destroy(stream); }
};

using LoopPtr = std::unique_ptr<pw_loop, PipeWireDeleter>;
using ContextPtr = std::unique_ptr<pw_context, PipeWireDeleter>;
using CorePtr = std::unique_ptr<pw_core, PipeWireDeleter>;
using RegistryPtr = std::unique_ptr<pw_registry, PipeWireDeleter>;
using NodePtr = std::unique_ptr<pw_node, PipeWireDeleter>;
using PortPtr = std::unique_ptr<pw_port, PipeWireDeleter>;
using StreamPtr = std::unique_ptr<pw_stream, PipeWireDeleter>;

/// libpipewire counts its users.
class PipeWireLibrary {
public:
    PipeWireLibrary() { pw_init(nullptr, nullptr); }
    PipeWireLibrary(const PipeWireLibrary&) = delete;
    PipeWireLibrary& operator=(const PipeWireLibrary&) = delete;
    ~PipeWireLibrary() { pw_deinit(); }
};

} // namespace vgpuview
